package tests

import (
	"debug/elf"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A binary with the build tag cpy3 is bound to one build of Python: another one of the same version is refused in
// words, before it fails with something that does not name the cause.
func TestLinkedBinaryRefusesAnotherBuild(t *testing.T) {
	t.Parallel()
	if !strings.Contains(linkedLibraries(t), "libpython") {
		t.Skip("the binary is not linked to a libpython")
	}
	mine := pythonFact(t, interpreter)
	other := "/usr/bin/python" + mine[:strings.Index(mine, " ")]
	if _, err := os.Stat(other); err != nil || pythonFact(t, other) == mine {
		t.Skip("there is no other build of this version on the machine")
	}
	s := Start(t, Options{Quiet: true, Cold: true, Args: []string{
		"--python", other, "--chdir", applicationFolder(t, "hello"), "--bind", "127.0.0.1:0", "wsgi",
	}})
	s.Expect(`this pyhost is linked to .*, but the Python of --python has .*: name the Python that it was built with`)
	s.Expect(`Reason: Forkserver failed to boot`)
	s.WaitExit(1)
}

func linkedLibraries(t *testing.T) string {
	t.Helper()
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	libraries, err := file.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(libraries, " ")
}

// pythonFact is an interpreter's minor version and where it was installed.
func pythonFact(t *testing.T, python string) string {
	t.Helper()
	out, err := exec.Command(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2], sys.base_prefix)").Output()
	if err != nil {
		t.Fatalf("%s: %v", python, err)
	}
	return string(out)
}
