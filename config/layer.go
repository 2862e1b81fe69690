package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Origin is the place of a Layer in the order of precedence.
type Origin int

// The origins of layers, the weaker one first. A framework is what brings an application along together with settings:
// the [server:main] section of a PasteDeploy file, the options of a custom application.
const (
	Framework Origin = iota
	ConfigFile
)

// Layer holds the settings that Python code has computed, for Load. A layer of origin ConfigFile takes the place of the
// configuration file that Load would read itself.
type Layer struct {
	Origin Origin
	// Source names the layer in messages, as in "gunicorn.conf.py".
	Source string
	// Values are JSON values by the name of the setting; null stands for the default. They are checked as gunicorn
	// checks those of its Python files: a number may be a string, a list of one item that item.
	Values map[string]json.RawMessage
	// Names are the other names that a Python file defines, hooks among them. Any are allowed; one that is nearly a
	// setting makes a warning.
	Names []string
}

// PythonNames are the names in a Python configuration file that Layer.Values takes.
func PythonNames() []string {
	var names []string
	for _, s := range known() {
		// A hook stays with Python, and python is what runs the file.
		if s.Type != Hook && s.Name != "config" && s.Name != "python" {
			names = append(names, s.Name)
		}
	}
	return names
}

// layer is l as Load combines it with others, and warnings about names that were probably meant to be settings.
func (l Layer) layer() (found layer, warnings []string, err error) {
	found = layer{}
	names := PythonNames()
	for name, text := range l.Values {
		s := settingNamed(name)
		if s == nil || !slices.Contains(names, name) {
			return nil, nil, &ValueError{Source: l.Source, Problem: fmt.Sprintf("%s cannot be set here", name)}
		}
		value, err := decodeJSON(text)
		if err != nil {
			return nil, nil, &ValueError{Source: l.Source, Setting: name, Value: string(text), Problem: err.Error()}
		}
		found[name] = given{typed: value, form: fromPython, source: l.Source}
	}
	for _, name := range slices.Sorted(slices.Values(l.Names)) {
		if warning := l.about(name, found); warning != "" {
			warnings = append(warnings, l.Source+": "+warning)
		}
	}
	return found, warnings, nil
}

// about is what is to be said of a name that is no value of a setting; mostly "".
func (l Layer) about(name string, found layer) string {
	switch s := settingNamed(name); {
	case name == "python":
		return "python cannot be set in a file that Python runs; use --python"
	case s != nil && s.Instead != "":
		return name + " has no effect: " + s.Instead
	case s != nil:
		return ""
	}
	setting := almost(name)
	if _, set := found[setting]; setting == "" || set || slices.Contains(l.Names, setting) {
		return ""
	}
	return fmt.Sprintf("the name %s is no setting; did you mean %s?", name, setting)
}

// decodeJSON keeps 3 and 3.0 apart, as Python does.
func decodeJSON(text []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&value)
	return value, err
}

// almost is the setting that name differs from by little more than a slip of the finger; "" if there is none. It is
// stricter than nearestSetting, because a Python file may define whatever names it likes.
func almost(name string) string {
	if strings.HasPrefix(name, "_") {
		return ""
	}
	folded := fold(name)
	best, answer := 3, ""
	for _, s := range known() {
		slips := distance(folded, s.Name)
		if slices.ContainsFunc(s.Flags, func(flag string) bool { return len(flag) > 4 && fold(flag) == folded }) {
			slips = 0
		}
		most := 2
		switch {
		case s.Name == "config" || s.Name == "python" || len(s.Name) <= 4:
			most = 0
		case len(s.Name) < 9:
			most = 1
		}
		if slips <= most && slips < best {
			best, answer = slips, s.Name
		}
	}
	return answer
}
