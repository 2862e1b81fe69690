package config

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestGunicornsSettingsAreKnown holds that a configuration of gunicorn's meets nothing that is merely unknown here.
func TestGunicornsSettingsAreKnown(t *testing.T) {
	list, err := os.ReadFile("testdata/gunicorn-27.txt")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		words := strings.Fields(line)
		if words[0] == "#" {
			continue
		}
		names[words[0]] = true
		s := settingNamed(words[0])
		if s == nil {
			t.Errorf("setting %s is unknown", words[0])
			continue
		}
		for _, option := range words[1:] {
			long, isLong := strings.CutPrefix(option, "--")
			if isLong && !slices.Contains(s.Flags, long) || !isLong && option != "-"+s.Short {
				t.Errorf("option %s of %s is unknown", option, s.Name)
			}
		}
	}
	if len(names) != 120 {
		t.Errorf("%d settings in the list", len(names))
	}
	for _, s := range Absent() {
		if !names[s.Name] {
			t.Errorf("%s is no setting of gunicorn's", s.Name)
		}
		if s.Instead == "" || s.field != nil {
			t.Errorf("%s does not say what to do instead, or has a field", s.Name)
		}
	}
	if !slices.IsSortedFunc(Absent(), func(a, b *Setting) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the absent settings are not in alphabetical order")
	}
}

// otherValue is a value of an absent setting that asks for something.
func otherValue(s *Setting) (text, tomlText string) {
	switch s.Type {
	case Bool:
		if s.Default == true {
			return "false", "false"
		}
		return "true", "true"
	case Int:
		return "7777", "7777"
	case Object:
		return `{"a": 1}`, "{a = 1}"
	case List:
		return "other", `["other"]`
	}
	return "other", `"other"`
}

// TestAbsentSettings goes through all of them by each way there is.
func TestAbsentSettings(t *testing.T) {
	for _, s := range Absent() {
		if s.Type == Hook {
			continue
		}
		text, tomlText := otherValue(s)
		jsonText := tomlText
		if s.Type == Object {
			jsonText = text
		}
		scenes := map[string]scene{
			"$" + s.Variable():               variable(s.Variable(), text),
			"pyhost.toml, line 1: " + s.Name: file("pyhost.toml", s.Name+" = "+tomlText),
			"gunicorn.conf.py: " + s.Name:    {args: []string{"m:a"}, layers: []Layer{python(s.Name, jsonText)}},
		}
		for _, flag := range s.Flags {
			scenes["--"+flag] = option("--" + flag + "=" + text)
			scenes["$GUNICORN_CMD_ARGS: --"+flag] = variable("GUNICORN_CMD_ARGS", "--"+flag+"="+text)
		}
		for placed, scene := range scenes {
			if s.Unused {
				want := []string{placed + " has no effect: " + s.Instead}
				if got := scene.load(t).Warnings; !slices.Equal(got, want) {
					t.Errorf("%s: %q, want %q", placed, got, want)
				}
				continue
			}
			wantValueError(t, scene, placed+" is not supported: "+s.Instead)
		}
	}
}

// TestDefaultsOfAbsentSettings: a configuration that spells out gunicorn's defaults is taken along in silence.
func TestDefaultsOfAbsentSettings(t *testing.T) {
	for _, s := range Absent() {
		if s.Type == Hook {
			continue
		}
		value, err := json.Marshal(s.Default)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{string(value), "null"} {
			if got := (scene{args: []string{"m:a"}, layers: []Layer{python(s.Name, text)}}).load(t).Warnings; got != nil {
				t.Errorf("%s = %s: %q", s.Name, text, got)
			}
		}
	}
}

func TestHooksAreFunctions(t *testing.T) {
	what := "must be a function as MODULE.FUNCTION"
	for name, s := range map[string]scene{
		"TOML":        file("pyhost.toml", "\non_exit = 'x'"),
		"environment": variable("PYHOST_ON_EXIT", "x"),
		"Python":      {args: []string{"m:a"}, layers: []Layer{python("on_exit", `"x"`)}},
	} {
		if got := s.fail(t).Error(); !strings.Contains(got, what) {
			t.Errorf("%s: %s", name, got)
		}
	}
	l := Layer{Origin: ConfigFile, Source: "x.py", Names: []string{"on_exit", "pre_frok", "dirty_worker_init"}}
	want := []string{
		"x.py: dirty_worker_init has no effect: there are no dirty arbiters",
		"x.py: the name pre_frok is no setting; did you mean pre_fork?",
	}
	if got := (scene{args: []string{"m:a"}, layers: []Layer{l}}).load(t).Warnings; !slices.Equal(got, want) {
		t.Errorf("in Python: %q, want %q", got, want)
	}
}
