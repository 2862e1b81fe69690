package libpython

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// interpreters are those of this machine that may be programs, not scripts.
func interpreters(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("/usr/bin/python3.[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	if named := os.Getenv("PYHOST_PYTHON"); named != "" {
		found = append(found, named)
	}
	for _, command := range []string{"python3", "python"} {
		if path, err := exec.LookPath(command); err == nil {
			found = append(found, path)
		}
	}
	return found
}

// What the file tells is what the interpreter says of itself, for whatever kinds of Python there are on this machine.
func TestInspectAgreesWithTheInterpreter(t *testing.T) {
	inspected := 0
	for _, interpreter := range interpreters(t) {
		f, err := ask(interpreter)
		if err != nil {
			continue
		}
		// Also through an environment's and any other symbolic link.
		link := filepath.Join(t.TempDir(), "python")
		if err := os.Symlink(f.Executable, link); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{f.Executable, link} {
			got, certain := inspect(path, noEnv)
			if !certain {
				continue // then the interpreter is asked
			}
			inspected++
			want, err := f.library(path)
			if err != nil {
				t.Errorf("%s: found %s, but the interpreter says: %v", path, got.Path, err)
			} else if !sameFile(t, got.Path, want.Path) || got.Executable != path {
				t.Errorf("%s: found %+v, but the interpreter says %+v", path, got, want)
			}
		}
	}
	if inspected == 0 {
		t.Skip("no Python of this machine has a shared library in a usual place")
	}
}

func sameFile(t *testing.T, one, other string) bool {
	t.Helper()
	first, err1 := os.Stat(one)
	second, err2 := os.Stat(other)
	return err1 == nil && err2 == nil && os.SameFile(first, second)
}

// Where the file does not settle it, the interpreter is asked.
func TestInspectDoubts(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	this, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"script":           fakePython(t, "{}"),
		"another program":  shell,
		"a static program": this,
		"nothing":          filepath.Join(t.TempDir(), "python"),
	} {
		if got, certain := inspect(path, noEnv); certain {
			t.Errorf("%s: found %+v", name, got)
		}
	}
	for _, interpreter := range interpreters(t) {
		home := func(name string) string { return map[string]string{"PYTHONHOME": "/elsewhere"}[name] }
		if got, certain := inspect(interpreter, home); certain {
			t.Errorf("%s with PYTHONHOME: found %+v", interpreter, got)
		}
	}
}

func TestSupported(t *testing.T) {
	for name, want := range map[string]bool{
		"libpython3.8.so.1.0":    true,
		"libpython3.13.so.1.0":   true,
		"libpython3.13t.so.1.0":  true,
		"libpython3.13td.so.1.0": true,
		"libpython3.12d.so.1.0":  true,
		"libpython3.7m.so.1.0":   false,
		"libpython3.7.so.1.0":    false,
		"libpython2.7.so.1.0":    false,
		"libpython3.so":          false,
		"libpython3..so.1.0":     false,
		"libpython3.11.so":       false,
		"libpypy3.10-c.so":       false,
		"":                       false,
	} {
		if got := supported(name); got != want {
			t.Errorf("supported(%q) = %v", name, got)
		}
	}
}

// A library that is not the one which the program asks for by name does not count.
func TestHolds(t *testing.T) {
	for _, interpreter := range interpreters(t) {
		library, certain := inspect(interpreter, noEnv)
		if !certain {
			continue
		}
		other := filepath.Join(t.TempDir(), "libpython3.99.so.1.0")
		if err := os.Symlink(library.Path, other); err != nil {
			t.Fatal(err)
		}
		file, err := elf.Open(library.Path)
		if err != nil {
			t.Fatal(err)
		}
		machine, name := file.Machine, filepath.Base(library.Path)
		file.Close()
		for _, c := range []struct {
			path, name string
			machine    elf.Machine
			want       bool
		}{
			{library.Path, name, machine, true},
			{other, filepath.Base(other), machine, false},
			{library.Path, name, machine + 1, false},
			{library.Path + ".absent", name, machine, false},
		} {
			if got := holds(c.path, c.name, c.machine); got != c.want {
				t.Errorf("holds(%q, %q, %v) = %v", c.path, c.name, c.machine, got)
			}
		}
	}
}
