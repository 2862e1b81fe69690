package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestDump holds that what is printed is a configuration file that says the same.
func TestDump(t *testing.T) {
	s := scene{
		args: []string{
			"m:make('a', \"b\")", "-w3", "-b:1", "-bunix:/x", "-e", "A=é\t\x01\\ '\"", "--access-logformat", `%(h)s "%(r)s"`,
			"--print-config", "--umask", "022", "--chdir", "/",
		},
		env:   map[string]string{"PYHOST_PROC_NAME": "it's", "FORWARDED_ALLOW_IPS": "*"},
		files: map[string]string{"pyhost.toml": "[secure_scheme_headers]\nX-SSL = \"on\"\n"},
	}
	c := s.load(t)
	text := c.Dump()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pyhost.toml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := load(nil, scene{}.environment(), dir)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, setting := range Settings() {
		if setting.field == nil || setting.Name == "print_config" {
			continue
		}
		if got, want := value(again, setting.Name), value(c, setting.Name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v, read back as %#v", setting.Name, want, got)
		}
	}
	for _, want := range []string{
		"workers = 3  ", "  # the command line\n", "  # $PYHOST_PROC_NAME\n", "  # pyhost.toml, line 1\n",
		"  # $FORWARDED_ALLOW_IPS\n", "  # the default\n", "access_log_format = '%(h)s \"%(r)s\"'  ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "print_config") {
		t.Errorf("what is printed asks for printing:\n%s", text)
	}
}
