package tests

import (
	"fmt"
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

// A reload may change where the logs are and what they say: for the workers, whoever they are, and for the master.
func TestReloadWithOtherLogs(t *testing.T) {
	t.Parallel()
	for _, owner := range []string{"", "daemon"} {
		t.Run("user "+owner, func(t *testing.T) {
			t.Parallel()
			directory := shortDir(t)
			if owner != "" {
				needRoot(t)
				if err := os.Chmod(directory, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			settings := filepath.Join(directory, "settings.py")
			configure := func(log, more string) string {
				log = filepath.Join(directory, log)
				text := fmt.Sprintf("errorlog = %q\naccesslog = %q\n%s\n", log, log+".access", more)
				if owner != "" {
					text += fmt.Sprintf("user = %q\n", owner)
				}
				if err := os.WriteFile(settings, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				return log
			}
			first := configure("first", "")
			s := Start(t, Options{App: "hello", Kind: syncKind, Cold: true, Args: []string{"-c", settings, "--preload"}})
			s.FollowLog(first)
			s.AwaitReady()
			second := configure("second", "log_format = 'json'\nloglevel = 'debug'")
			s.FollowLog(second)
			s.Signal(syscall.SIGHUP)
			s.WaitLog(`(?m)^{"level":"info",.*"pid":`+itoa(s.PID)+`,"message":"Reloaded: 1 new worker`, 1)
			eventually(t, "a line of the access log", func() bool { // the old worker may take the first request
				s.Get("/").Want(t, 200, "Hello, world!\n")
				return contentOf(second+".access") != ""
			})
			s.Signal(syscall.SIGTTIN)
			s.WaitLog(`"pid":`+itoa(s.PID)+`,"message":"Handling signal: ttin"`, 1)
			if strings.Contains(contentOf(first), "ttin") {
				t.Error("the master logs where it did before")
			}
			s.WaitWorkers(2)
			s.forgetDescriptors()
		})
	}
}
