package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// form is how a source writes values.
type form int

const (
	fromText   form = iota // options and variables
	fromTOML               // values as the TOML package delivers them
	fromPython             // values of a Python file, as the JSON package delivers them with json.Number
)

// given is what one source says about one setting.
type given struct {
	texts  []string // fromText: in the order given; all count for a List, the last one for everything else
	typed  any      // otherwise
	form   form
	source string // in the words of Config.Source
}

// layer is what one source says, by setting name.
type layer map[string]given

// value reads what g says as a value of the setting's type, checked. Relative paths begin in dir.
func (s *Setting) value(g given, dir string) (any, *ValueError) {
	var value any
	var bad *ValueError
	switch g.form {
	case fromTOML:
		value, bad = s.fromTOML(g.typed, dir)
	case fromPython:
		value, bad = s.fromPython(g.typed, dir)
	default:
		value, bad = s.fromTexts(g.texts, dir)
	}
	if bad != nil {
		bad.Setting, bad.Source = s.Name, g.source
	}
	return value, bad
}

func (s *Setting) fromTexts(texts []string, dir string) (any, *ValueError) {
	last := strings.TrimSpace(texts[len(texts)-1])
	switch s.Type {
	case Bool:
		return boolFrom(last)
	case Int:
		return s.intFrom(last)
	case List:
		if s.commas {
			texts = strings.Split(last, ",")
		}
		return s.listFrom(texts, dir)
	case Map:
		return mapFrom(last)
	}
	return s.textFrom(last, dir)
}

// fromTOML is strict about types, because TOML has them. Only a umask may also be a string, since TOML writes octal
// numbers as 0o22 and everybody else as 022; and a List of one item may be that item, as in gunicorn's config file.
func (s *Setting) fromTOML(value any, dir string) (any, *ValueError) {
	switch v := value.(type) {
	case bool:
		if s.Type == Bool {
			return v, nil
		}
		if s.bare != "" { // a switch once, now with modes
			return s.textFrom(strconv.FormatBool(v), dir)
		}
	case int64:
		if s.Type == Int {
			return s.inRange(v, fmt.Sprint(v))
		}
	case string:
		switch {
		case s.Type == String, s.Type == List, s.number != nil:
			return s.fromTexts([]string{v}, dir)
		}
	case []any:
		if texts, ok := allStrings(v); ok && s.Type == List {
			return s.listFrom(texts, dir)
		}
	case map[string]any:
		if s.Type == Map {
			return tableFrom(v)
		}
	}
	return nil, problemf(fmt.Sprint(value), "%s", s.wanted())
}

// fromPython takes what gunicorn's validators take, and None for the default.
func (s *Setting) fromPython(value any, dir string) (any, *ValueError) {
	switch v := value.(type) {
	case nil:
		return s.Default, nil
	case bool:
		switch {
		case s.Type == Bool:
			return v, nil
		case s.Type == Int && v: // bool is an int in Python
			return s.inRange(1, "True")
		case s.Type == Int:
			return s.inRange(0, "False")
		}
	case json.Number:
		if s.Type == Int {
			if number, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
				return s.inRange(number, v.String())
			}
		}
	case string:
		if s.Type == Int && s.number == nil {
			if number, err := strconv.ParseInt(strings.TrimSpace(v), 0, 64); err == nil { // as int(v, 0)
				return s.inRange(number, v)
			}
		}
		if s.Type != Map {
			return s.fromTexts([]string{v}, dir)
		}
	case []any:
		if texts, ok := allStrings(v); ok && s.Type == List {
			return s.listFrom(texts, dir)
		}
	case map[string]any:
		if s.Type == Map {
			return tableFrom(v)
		}
	}
	return nil, problemf(pythonText(value), "%s", s.wanted())
}

// pythonText is a value as Python writes it, more or less.
func pythonText(value any) string {
	switch v := value.(type) {
	case bool:
		return map[bool]string{false: "False", true: "True"}[v]
	case json.Number, string:
		return fmt.Sprint(v)
	}
	text, _ := json.Marshal(value)
	return string(text)
}

// wanted says what a value of the setting has to be.
func (s *Setting) wanted() string {
	switch {
	case s.number != nil:
		return "must be a number such as 0o022, or 022 as a string"
	case s.Type == Bool:
		return "must be true or false"
	case s.Type == Int:
		return fmt.Sprintf("must be a whole number of %d or more", s.min)
	case s.Type == List:
		return "must be a list of strings"
	case s.Type == Map:
		return "must be a table of header names and values"
	}
	return "must be a string"
}

func boolFrom(text string) (any, *ValueError) {
	switch strings.ToLower(text) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	}
	return nil, problemf(text, "must be true or false")
}

func (s *Setting) intFrom(text string) (any, *ValueError) {
	number := strconv.Atoi
	wanted := s.wanted()
	if s.number != nil {
		number = s.number
		wanted = "must be a number such as 022 or 0o022"
	}
	value, err := number(text)
	if err != nil {
		return nil, problemf(text, "%s", wanted)
	}
	return s.inRange(int64(value), text)
}

func (s *Setting) inRange(value int64, text string) (any, *ValueError) {
	largest := int64(s.max)
	if largest == 0 {
		largest = math.MaxInt32
	}
	switch {
	case value < int64(s.min):
		return nil, problemf(text, "must be a whole number of %d or more", s.min)
	case value > largest && s.number != nil:
		return nil, problemf(text, "must be at most 0777; a number without a leading 0 is decimal")
	case value > largest:
		return nil, problemf(text, "must be at most %d", largest)
	}
	return int(value), nil
}

func (s *Setting) textFrom(text, dir string) (any, *ValueError) {
	checked, bad := s.checkItem(strings.TrimSpace(text), dir)
	if bad != nil {
		return nil, bad
	}
	return checked, nil
}

func (s *Setting) listFrom(texts []string, dir string) (any, *ValueError) {
	list := []string{}
	for _, text := range texts {
		text = strings.TrimSpace(text)
		if s.commas && text == "" {
			continue
		}
		checked, bad := s.checkItem(text, dir)
		if bad != nil {
			return nil, bad
		}
		list = append(list, checked)
	}
	return list, nil
}

func (s *Setting) checkItem(text, dir string) (string, *ValueError) {
	// Paths and environment variables end at a NUL; only the name of an abstract unix socket begins with one.
	if strings.Contains(text, "\x00") && !strings.HasPrefix(text, "unix:") {
		return "", problemf(text, "cannot contain a NUL byte")
	}
	if s.item == nil {
		return text, nil
	}
	checked, err := s.item(dir, text)
	if err != nil {
		return "", problemf(text, "%s", err)
	}
	return checked, nil
}

// mapFrom reads NAME=VALUE,NAME=VALUE.
func mapFrom(text string) (any, *ValueError) {
	table := map[string]any{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok {
			return nil, problemf(text, "must be NAME=VALUE separated by commas")
		}
		table[name] = value
	}
	return tableFrom(table)
}

// tableFrom checks a table of headers. Header names are compared in upper case, as in gunicorn.
func tableFrom(table map[string]any) (any, *ValueError) {
	headers := map[string]string{}
	for name, value := range table {
		text, ok := value.(string)
		if !ok {
			return nil, problemf(fmt.Sprint(value), "the value of header %s must be a string", name)
		}
		name = strings.ToUpper(strings.TrimSpace(name))
		if name == "" || strings.ContainsAny(name, " _:\x00") {
			return nil, problemf(name, "must be the name of a header, as in X-FORWARDED-PROTO")
		}
		headers[name] = strings.TrimSpace(text)
	}
	return headers, nil
}

// joinTable is the inverse of mapFrom, in alphabetical order.
func joinTable(table map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(table)) {
		pairs = append(pairs, name+"="+table[name])
	}
	return strings.Join(pairs, ", ")
}

func allStrings(values []any) ([]string, bool) {
	texts := make([]string, len(values))
	for i, value := range values {
		text, ok := value.(string)
		if !ok {
			return nil, false
		}
		texts[i] = text
	}
	return texts, true
}
