package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/BurntSushi/toml"
)

// entry is one key of a TOML table with its value and the line it stands on.
type entry struct {
	key   string
	value any
	line  int
}

// errLocated is no failure: see located.
var errLocated = errors.New("located")

// located takes a value from the decoder and answers with an error, because the decoder tells the line of a key only
// together with one.
type located struct{ value any }

// UnmarshalTOML implements toml.Unmarshaler.
func (l *located) UnmarshalTOML(value any) error {
	l.value = value
	return errLocated
}

// parseTOML reads the settings in one table of a TOML file, the whole file if no table is named. A file without the
// table has no settings.
func parseTOML(text []byte, file string, table ...string) (layer, error) {
	entries, err := tableEntries(text, table)
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return nil, &ValueError{Source: at(file, syntax.Position.Line), Problem: syntax.Message}
	}
	if err != nil {
		return nil, &ValueError{Source: file, Problem: err.Error()}
	}
	found := layer{}
	for _, e := range entries {
		source := at(file, e.line)
		s := settingNamed(e.key)
		if s == nil {
			show := func(setting string) string { return setting }
			return nil, &ValueError{Source: source, Problem: "setting " + quote(e.key) + " " + unknownName(e.key, show)}
		}
		if s.Type == Hook {
			return nil, &ValueError{Source: source, Problem: s.isFunction()}
		}
		if s.Name == "config" {
			return nil, &ValueError{Source: source, Problem: s.Name + " cannot be set in a config file"}
		}
		found[s.Name] = given{typed: e.value, form: fromTOML, source: source}
	}
	return found, nil
}

// tableEntries are the keys of one table in the order of their lines.
func tableEntries(text []byte, table []string) ([]entry, error) {
	var values map[string]toml.Primitive
	meta, err := toml.Decode(string(text), &values)
	if err != nil {
		return nil, err
	}
	for _, name := range table {
		inner, ok := values[name]
		if !ok {
			return nil, nil
		}
		values = nil
		// What is no table may decode without an error, but it makes no map.
		if err := meta.PrimitiveDecode(inner, &values); err != nil || values == nil {
			return nil, fmt.Errorf("%s must be a table", name)
		}
	}
	entries := make([]entry, 0, len(values))
	for key, value := range values {
		e := entry{key: key}
		e.value, e.line = locate(meta, value)
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.key, b.key))
	})
	return entries, nil
}

// locate is a value and its line. A table that is only implied, as headers is by headers.x = 1, has no line of its own:
// it counts as standing where its first key does.
func locate(meta toml.MetaData, value toml.Primitive) (any, int) {
	var place located
	var answer toml.ParseError
	if err := meta.PrimitiveDecode(value, &place); !errors.As(err, &answer) {
		return place.value, 0
	}
	line := answer.Position.Line
	var inner map[string]toml.Primitive
	if line != 0 || meta.PrimitiveDecode(value, &inner) != nil {
		return place.value, line
	}
	for _, value := range inner {
		if _, first := locate(meta, value); line == 0 || first < line {
			line = first
		}
	}
	return place.value, line
}

func at(file string, line int) string {
	return fmt.Sprintf("%s, line %d", file, line)
}
