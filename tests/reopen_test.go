package tests

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// SIGUSR1 after a rename (logrotate): master and workers go on in a new file of the old name.
func TestLogsAreReopened(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		directory := t.TempDir()
		errorLog, accessLog := filepath.Join(directory, "error.log"), filepath.Join(directory, "access.log")
		s := Start(t, Options{App: "errors_stream", Kind: kind, Cold: true,
			Args: []string{"--error-logfile", errorLog, "--access-logfile", accessLog}})
		s.FollowLog(errorLog)
		s.AwaitReady()
		s.Get("/before").Want(t, 200, "complained")
		eventually(t, "the access log has a line", func() bool { return strings.Contains(contentOf(accessLog), "/before") })
		for _, path := range []string{errorLog, accessLog} {
			if err := os.Rename(path, path+".1"); err != nil {
				t.Fatal(err)
			}
		}
		s.FollowLog(errorLog + ".1")
		s.Signal(syscall.SIGUSR1)
		eventually(t, "both files are there again", func() bool {
			_, errorLess := os.Stat(errorLog)
			_, accessLess := os.Stat(accessLog)
			return errorLess == nil && accessLess == nil
		})
		eventually(t, "both have what the worker writes now", func() bool {
			s.Get("/after").Want(t, 200, "complained")
			return strings.Contains(contentOf(accessLog), "/after") && strings.Contains(contentOf(errorLog), "first of two")
		})
		if strings.Contains(contentOf(accessLog), "/before") {
			t.Error("the new access log has an old line")
		}
		s.Signal(syscall.SIGTERM)
		s.WaitExit(0)
		if !strings.Contains(contentOf(errorLog), "Shutting down: Master") {
			t.Error("the master did not reopen its log")
		}
	})
}

// contentOf is what a file holds; "" if there is none.
func contentOf(path string) string {
	content, _ := os.ReadFile(path)
	return string(content)
}
