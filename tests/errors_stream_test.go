package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var complaints = []string{
	"written to wsgi.errors\n", "first of two\nsecond of two\n", "printed to wsgi.errors: caf\u00e9\n",
}

// PEP 3333, "Input and Error Streams": wsgi.errors is the error log, wherever that is.
func TestErrorsStream(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "errors_stream", Kind: kind})
		s.Get("/").Want(t, 200, "complained")
		for _, line := range complaints {
			eventually(t, "the log has "+line, func() bool { return strings.Contains(s.Log(), line) })
		}
	})
}

// With --log-format json each line of it is an object.
func TestErrorsStreamAsJSON(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "errors_stream", Kind: kind, Args: []string{"--log-format", "json"}})
		s.Get("/").Want(t, 200, "complained")
		s.WaitLog(`"level": "error"`, 4)
		var texts []string
		for line := range strings.Lines(s.Log()) {
			var message struct {
				Level, Message string
				PID, Worker    int
			}
			if err := json.Unmarshal([]byte(line), &message); err != nil {
				t.Errorf("%v in %q", err, line)
			}
			if message.Level == "error" {
				texts = append(texts, message.Message)
			}
			if message.Level == "error" && (message.Worker != 1 || message.PID != s.Workers()[0]) {
				t.Errorf("%+v", message)
			}
		}
		want := []string{"written to wsgi.errors", "first of two", "second of two", "printed to wsgi.errors: caf\u00e9"}
		if !slices.Equal(texts, want) {
			t.Errorf("%q", texts)
		}
	})
}

func TestErrorsStreamToFile(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		path := filepath.Join(t.TempDir(), "error.log")
		s := Start(t, Options{App: "errors_stream", Kind: kind, Args: []string{"--error-logfile", path}, Cold: true})
		s.FollowLog(path)
		s.AwaitReady()
		s.Get("/").Want(t, 200, "complained")
		for _, line := range complaints {
			eventually(t, "the log has "+line, func() bool { return strings.Contains(s.Log(), line) })
		}
		stderr, err := os.ReadFile(s.stderrPath)
		if err != nil || len(stderr) > 0 {
			t.Errorf("standard error has %q, %v", stderr, err)
		}
	})
}

// What the error log does not take is lost, and no request with it.
func TestErrorsStreamToFullDisk(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		for _, form := range []string{"text", "json"} {
			s := Start(t, Options{App: "errors_stream", Kind: kind,
				Args: []string{"--error-logfile", "/dev/full", "--log-format", form}})
			s.Allow(`Error log: `)
			s.Get("/").Want(t, 200, "complained")
		}
	})
}
