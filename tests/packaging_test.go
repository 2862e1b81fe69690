package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/config"
)

func readText(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestPackagedUnits: the command line of the packaged service is valid, and the documentation shows the same files.
func TestPackagedUnits(t *testing.T) {
	t.Parallel()
	service := readText(t, "../packaging/myproject.service")
	_, rest, _ := strings.Cut(strings.ReplaceAll(service, "\\\n", " "), "ExecStart=")
	line, _, _ := strings.Cut(rest, "\n")
	args := strings.Fields(line)
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, "venv"), 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(args[1:], func(string) string { return "" }, directory)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if c.App != "myproject.wsgi:application" || c.Workers < 3 || c.WorkerClass != "gthread" {
		t.Errorf("%s: application %q, %d workers of class %s", line, c.App, c.Workers, c.WorkerClass)
	}
	// By systemd's default one worker that runs out of memory ends the service.
	if !strings.Contains(service, "\nOOMPolicy=continue\n") {
		t.Error("the unit leaves OOMPolicy to systemd")
	}
	page := readText(t, "../docs/deployment.md")
	for name, begin := range map[string]string{"service": "[Unit]", "socket": "[Unit]", "logrotate": "/var"} {
		file := readText(t, "../packaging/myproject."+name)
		if body := file[strings.Index(file, begin):]; !strings.Contains(page, body) {
			t.Errorf("docs/deployment.md does not show packaging/myproject.%s", name)
		}
	}
}

// TestPackagedUnitsVerify asks systemd itself.
func TestPackagedUnitsVerify(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not on this machine: only our own parser has read the units")
	}
	directory := t.TempDir()
	for _, name := range []string{"myproject.service", "myproject.socket"} {
		text := strings.ReplaceAll(readText(t, "../packaging/"+name), "/usr/local/bin/pyhost", binary)
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"myproject.service", "myproject.socket"} {
		if output, err := exec.Command(analyze, "verify", filepath.Join(directory, name)).CombinedOutput(); err != nil ||
			strings.Contains(string(output), directory) {
			t.Errorf("%s: %v\n%s", name, err, output)
		}
	}
}
