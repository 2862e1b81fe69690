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
	// spelled is the setting as it was written: --log-level, -k, $PYHOST_WORKERS; "" if by its name.
	spelled string
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
		bad.Setting, bad.Source, bad.Spelled = s.Name, g.source, g.spelled
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
	case Float:
		return s.floatFrom(last)
	case Object:
		return objectFrom(last)
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
		switch s.Type {
		case Int:
			return s.inRange(v, fmt.Sprint(v))
		case Float:
			return s.floatFrom(fmt.Sprint(v))
		}
		if s.orNumber {
			return s.textFrom(fmt.Sprint(v), dir)
		}
	case float64:
		if s.Type == Float {
			return s.floatFrom(fmt.Sprint(v))
		}
	case string:
		if s.Type == String || s.Type == List || s.number != nil || s.auto != nil && v == "auto" {
			return s.fromTexts([]string{v}, dir)
		}
	case []any:
		if texts, ok := allStrings(v); ok && s.Type == List {
			return s.listFrom(texts, dir)
		}
	case map[string]any:
		switch s.Type {
		case Map:
			return tableFrom(v)
		case Object:
			return v, nil
		}
	}
	return nil, problemf(fmt.Sprint(value), "%s", s.wanted())
}

// fromPython takes what gunicorn's validators take, and None for the default where they have no meaning for it.
func (s *Setting) fromPython(value any, dir string) (any, *ValueError) {
	switch v := value.(type) {
	case nil:
		if s.noneEmpties {
			return []string{}, nil
		}
		return s.Default, nil
	case bool:
		switch {
		case s.Type == Bool:
			return v, nil
		case s.Type == Int && v: // bool is an int in Python
			return s.inRange(1, "True")
		case s.Type == Int:
			return s.inRange(0, "False")
		case s.bare != "": // a switch once, now with modes
			return s.textFrom(strconv.FormatBool(v), dir)
		}
	case json.Number:
		if s.Type == Int {
			if number, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
				return s.inRange(number, v.String())
			}
		}
		if s.Type == Float {
			return s.floatFrom(v.String())
		}
		if s.orNumber {
			return s.textFrom(v.String(), dir)
		}
	case string:
		if s.Type == Int && s.number == nil {
			if number, err := strconv.ParseInt(strings.TrimSpace(v), 0, 64); err == nil { // as int(v, 0)
				return s.inRange(number, v)
			}
		}
		if s.Type == List && s.Name != "bind" && strings.TrimSpace(v) == "" { // an empty list, as in gunicorn
			return []string{}, nil
		}
		if s.Type != Map && s.Type != Object {
			return s.fromTexts([]string{v}, dir)
		}
	case []any:
		if texts, ok := allStrings(v); ok && s.Type == List {
			return s.listFrom(texts, dir)
		}
	case map[string]any:
		switch s.Type {
		case Map:
			return tableFrom(v)
		case Object:
			return v, nil
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
	case s.wants != "":
		return s.wants
	case s.Type == Bool:
		return "must be true or false"
	case s.Type == Int:
		return fmt.Sprintf("must be a whole number of %d or more", s.min)
	case s.Type == Float:
		return fmt.Sprintf("must be a number of %d or more", s.min)
	case s.Type == List:
		return "must be a list of strings"
	case s.Type == Object:
		return "must be a table"
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
	if s.number != nil {
		value, err := s.number(text)
		if err != nil {
			return nil, problemf(text, "%s", err)
		}
		return s.inRange(int64(value), text)
	}
	if s.auto != nil && strings.EqualFold(text, "auto") {
		return s.auto(), nil
	}
	value, err := strconv.Atoi(text)
	if err != nil {
		return nil, problemf(text, "%s", s.wanted())
	}
	return s.inRange(int64(value), text)
}

func (s *Setting) floatFrom(text string) (any, *ValueError) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(value) || value < float64(s.min) {
		return nil, problemf(text, "%s", s.wanted())
	}
	if value > float64(s.largest()) {
		return nil, problemf(text, "must be at most %d", s.largest())
	}
	return value, nil
}

func (s *Setting) inRange(value int64, text string) (any, *ValueError) {
	switch {
	case value < int64(s.min):
		return nil, problemf(text, "must be a whole number of %d or more", s.min)
	case value > s.largest():
		return nil, problemf(text, "must be at most %d", s.largest())
	}
	return int(value), nil
}

func (s *Setting) largest() int64 {
	if s.max == 0 {
		return math.MaxInt32
	}
	return int64(s.max)
}

// objectFrom reads a JSON object.
func objectFrom(text string) (any, *ValueError) {
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil || object == nil {
		return nil, problemf(text, "must be a JSON object")
	}
	return object, nil
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
	checked := text
	if s.item != nil {
		var err error
		if checked, err = s.item(dir, text); err != nil {
			return "", problemf(text, "%s", err)
		}
	}
	if s.Choices != nil && !slices.Contains(s.Choices, checked) {
		return "", problemf(text, "must be %s", either(s.Choices))
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
