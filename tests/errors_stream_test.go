package tests

import (
	"os"
	"path/filepath"
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
