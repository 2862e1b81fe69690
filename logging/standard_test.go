package logging

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const childRole = "LOGGING_TEST_CHILD"

// TestMain lets a test start this binary as a process whose standard streams it may break.
func TestMain(m *testing.M) {
	switch os.Getenv(childRole) {
	case "":
		os.Exit(m.Run())
	case "dash":
		logToStandardStreams("-")
	case "full":
		logToStandardStreams("/dev/full")
	}
}

func logToStandardStreams(errorTarget string) {
	log, err := Open(errorTarget, "info")
	if err != nil {
		panic(err)
	}
	access, err := OpenAccess("-", "%(m)s")
	if err != nil {
		panic(err)
	}
	access.OnError = func(err error, lost int) { log.Warning("%d lost: %v", lost, err) }
	log.Info("started")
	access.Write(&Record{Method: []byte("GET")})
	access.Flush()
	log.Error("done")
}

func TestStandardStreams(t *testing.T) {
	tests := []struct {
		role           string
		stdout, stderr bool // false = nobody reads it
		out            string
		errors         []string
	}{
		{"dash", true, true, "GET\n", []string{"[INFO] started\n", "[ERROR] done\n"}},
		{"dash", false, true, "", []string{"[WARNING] 1 lost: writing access log: broken pipe\n", "[ERROR] done\n"}},
		{"dash", false, false, "", nil},
		{"full", true, true, "GET\n", []string{"[INFO] started\n", "[ERROR] done\n"}},
		{"full", true, false, "GET\n", nil},
	}
	for _, tt := range tests {
		var out, errs bytes.Buffer
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childRole+"="+tt.role)
		cmd.Stdout, cmd.Stderr = &out, &errs
		if !tt.stdout {
			cmd.Stdout = brokenPipe(t)
		}
		if !tt.stderr {
			cmd.Stderr = brokenPipe(t)
		}
		if err := cmd.Run(); err != nil {
			t.Errorf("%+v: the process ended with %v", tt, err)
		}
		if out.String() != tt.out {
			t.Errorf("%+v: standard output has %q", tt, out.String())
		}
		for _, part := range tt.errors {
			if !strings.Contains(errs.String(), part) {
				t.Errorf("%+v: standard error has %q", tt, errs.String())
			}
		}
	}
}

// brokenPipe is the write end of a pipe that has no reader.
func brokenPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return w
}
