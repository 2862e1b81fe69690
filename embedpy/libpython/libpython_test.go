package libpython

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakePython writes a script that answers the question with the given JSON.
func fakePython(t *testing.T, answer string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "python")
	script := "#!/bin/sh\ncat <<'END'\n" + answer + "\nEND\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func noEnv(string) string { return "" }

func TestLocateRefuses(t *testing.T) {
	answer := func(implementation, version, flavour string) string {
		return fmt.Sprintf(`{"implementation": %q, "version": %s, "executable": "/x/python", "shared": false,
			"soname": "libpython3.11.so.1.0", "directories": ["/nonexistent"], "flavour": %q}`,
			implementation, version, flavour)
	}
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for name, c := range map[string]struct{ answer, want string }{
		"too old":    {answer("cpython", "[3, 7, 16]", "other"), "pyhost needs 3.8 or newer"},
		"pypy":       {answer("pypy", "[3, 10, 0]", "other"), "pyhost embeds CPython"},
		"debian":     {answer("cpython", "[3, 11, 2]", "debian"), "apt-get install libpython3.11"},
		"pyenv":      {answer("cpython", "[3, 11, 2]", "pyenv"), "--enable-shared pyenv install --force 3.11.2"},
		"conda":      {answer("cpython", "[3, 11, 2]", "conda"), "conda install"},
		"uv":         {answer("cpython", "[3, 11, 2]", "uv"), "uv python install 3.11"},
		"other":      {answer("cpython", "[3, 11, 2]", "other"), "--enable-shared"},
		"not python": {"hello", "is not a Python interpreter"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Locate(fakePython(t, flat(c.answer)), noEnv)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestLocateFinds(t *testing.T) {
	dir := t.TempDir()
	library := filepath.Join(dir, "libpython3.11.so.1.0")
	if err := os.WriteFile(library, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	python := fakePython(t, fmt.Sprintf(`{"implementation": "cpython", "version": [3, 11, 7], `+
		`"executable": "/venv/bin/python", "shared": true, `+
		`"soname": "libpython3.11.so.1.0", "directories": ["/nonexistent", %q], "flavour": "other"}`, dir))
	want := Library{Path: library, Executable: "/venv/bin/python"}
	got, err := Locate(python, noEnv)
	if err != nil || got != want {
		t.Fatalf("got %+v, %v; want %+v", got, err, want)
	}

	// $VIRTUAL_ENV comes before the PATH
	env := t.TempDir()
	if err := os.Mkdir(filepath.Join(env, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(python, filepath.Join(env, "bin", "python")); err != nil {
		t.Fatal(err)
	}
	got, err = Locate("", func(name string) string { return map[string]string{"VIRTUAL_ENV": env}[name] })
	if err != nil || got != want {
		t.Fatalf("with $VIRTUAL_ENV: got %+v, %v; want %+v", got, err, want)
	}
	// a directory is a virtualenv
	if got, err = Locate(env, noEnv); err != nil || got != want {
		t.Fatalf("with a directory: got %+v, %v; want %+v", got, err, want)
	}
}

func TestLocateBrokenEnvironment(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	_, err := Locate("", func(string) string { return gone })
	if err == nil || !strings.Contains(err.Error(), gone) || !strings.Contains(err.Error(), "VIRTUAL_ENV") {
		t.Fatalf("got %v, want an error that names $VIRTUAL_ENV", err)
	}
}

// An environment whose Python an upgrade of the system has removed.
func TestLocateDanglingEnvironment(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"python": "python3", "python3": "/nonexistent/python3.7"} {
		if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Locate(filepath.Dir(bin), noEnv)
	if err == nil || !strings.Contains(err.Error(), "a link to /nonexistent/python3.7, which does not exist") {
		t.Errorf("got %v, want an error that names what the link leads to", err)
	}
	_, err = Locate(filepath.Join(bin, "none"), noEnv)
	if err == nil || strings.Contains(err.Error(), "link") {
		t.Errorf("got %v, want an error that says nothing of links", err)
	}
}

// The cause stands above the stacks, and PYTHONHOME is most often the cause.
func TestLocatePythonHome(t *testing.T) {
	python := filepath.Join(t.TempDir(), "python")
	script := "#!/bin/sh\necho 'ModuleNotFoundError: No module named \"encodings\"' >&2\n" +
		"echo '  <no Python frame>' >&2\nexit 1\n"
	if err := os.WriteFile(python, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Locate(python, func(name string) string { return map[string]string{"PYTHONHOME": "/nowhere"}[name] })
	for _, want := range []string{`No module named "encodings" (`, "PYTHONHOME is /nowhere: unset it"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

func TestLocateNothing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Locate("", noEnv)
	if err == nil || !strings.Contains(err.Error(), "--python PATH") {
		t.Fatalf("got %v, want an error that names --python", err)
	}
}
