package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// bareMachine is a directory for PATH: the programs of any Debian, the go command, and what is given with its script.
// There is no apt-get: nothing can be installed.
func bareMachine(t *testing.T, scripts map[string]string) string {
	t.Helper()
	directory := t.TempDir()
	for _, name := range []string{"sh", "sed", "sort", "dirname", "id", "cat", "cut", "go"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(directory, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(directory, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// What a machine lacks is named, together with the packages that have it.
func TestScriptsOnABareMachine(t *testing.T) {
	t.Parallel()
	packages := "apt install gcc libc6-dev"
	noHeaders := "echo 'fatal error: stdlib.h: No such file or directory' >&2; exit 1"
	for name, c := range map[string]struct {
		script   string
		programs map[string]string
		env      []string
		want     []string
	}{
		"no compiler": {script: "toolchain.sh", want: []string{"needs a C compiler", packages}},
		"no headers": {script: "toolchain.sh", programs: map[string]string{"gcc": noHeaders},
			want: []string{"gcc does not find stdlib.h", packages}},
		"no compiler of CC": {script: "toolchain.sh", env: []string{"CC=other-cc -m64"},
			want: []string{"other-cc -m64 does not", "CC=gcc make"}},
		"all":       {script: "toolchain.sh", programs: map[string]string{"gcc": "exit 0"}},
		"no Python": {script: "pythons.sh", want: []string{"apt install python3 python3-venv", "PYTHON=/path/to/python3"}},
		"a broken Python": {script: "pythons.sh", programs: map[string]string{"python3": "exit 127"},
			want: []string{"python3 does not run", "PYTHON="}},
	} {
		command := exec.Command("../scripts/" + c.script)
		command.Env = append(os.Environ(), "PYTHON=python3", "CC=gcc", "PATH="+bareMachine(t, c.programs))
		command.Env = append(command.Env, c.env...)
		output, err := command.CombinedOutput()
		if (err == nil) != (c.want == nil) || c.want == nil && len(output) > 0 {
			t.Errorf("%s: %v\n%s", name, err, output)
		}
		for _, want := range c.want {
			if !strings.Contains(string(output), want) {
				t.Errorf("%s: no %q in\n%s", name, want, output)
			}
		}
	}
}

// Debian 11 and Ubuntu 20.04 have libpython in a directory below LIBDIR, which MULTIARCH names.
func TestScriptsFindLibpython(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	library := filepath.Join(folder, "some-linux-gnu", "libpython3.99.so.1.0")
	if err := os.Mkdir(filepath.Dir(library), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, there := range []bool{false, true} {
		if there {
			if err := os.WriteFile(library, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		program := "import runpy, sysconfig\nsysconfig.get_config_var = {'INSTSONAME': 'libpython3.99.so.1.0', " +
			"'LIBDIR': '" + folder + "', 'MULTIARCH': 'some-linux-gnu'}.get\nrunpy.run_path('../scripts/python_info.py')"
		output, err := exec.Command(interpreter, "-c", program).CombinedOutput()
		if err != nil || strings.Contains(string(output), "libpython ") == there {
			t.Errorf("with a library %v: %v, %s", there, err, output)
		}
	}
}

// A program that a test cannot do without in CI is one that make test installs.
func TestToolsAreInstalled(t *testing.T) {
	t.Parallel()
	installer := readText(t, "../scripts/test.sh")
	named := regexp.MustCompile(`\btool\(t, "([a-z]+)"\)`)
	sources, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, source := range append(sources, "../embedpy/gate/gate_test.go") {
		for _, match := range named.FindAllStringSubmatch(readText(t, source), -1) {
			found++
			name := match[1]
			installed := regexp.MustCompile(`for tool in .*\b` + name + `\b|packages.sh ` + name)
			if name != "cc" && !installed.MatchString(installer) {
				t.Errorf("%s needs %s, which scripts/test.sh does not install", source, name)
			}
		}
	}
	if found == 0 {
		t.Error("no test names a tool")
	}
}
