package config

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// scene is what a call of load sees.
type scene struct {
	args  []string
	env   map[string]string
	files map[string]string // by name, in the directory the program is started in
	// layers are what Python code has computed.
	layers []Layer
}

// dir makes the directory of the scene.
func (s scene) dir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range s.files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (s scene) environment() environment {
	return environment{
		get:   func(name string) string { return s.env[name] },
		names: slices.Sorted(maps.Keys(s.env)),
	}
}

// load loads the scene; it must succeed.
func (s scene) load(t *testing.T) *Config {
	t.Helper()
	c, err := load(s.args, s.environment(), s.dir(t), s.layers...)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return c
}

// fail loads the scene; it must fail.
func (s scene) fail(t *testing.T) error {
	t.Helper()
	c, err := load(s.args, s.environment(), s.dir(t), s.layers...)
	if err == nil {
		t.Fatalf("load succeeded: %+v", c)
	}
	if c != nil {
		t.Errorf("load answers both a Config and the error %v", err)
	}
	return err
}

// value is the value of a setting in c.
func value(c *Config, setting string) any {
	switch field := settingNamed(setting).field(c).(type) {
	case *bool:
		return *field
	case *int:
		return *field
	case *float64:
		return *field
	case *map[string]any:
		return *field
	case *string:
		return *field
	case *[]string:
		return *field
	case *map[string]string:
		return *field
	}
	return nil
}
