package logging

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// packets is a target that keeps the borders between writes, and a function that reads one write.
func packets(t *testing.T, p purpose) (*target, func() string) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fds[0]); _ = unix.Close(fds[1]) })
	// A read that gets nothing ends the test and does not hang it.
	if err := unix.SetsockoptTimeval(fds[1], unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10}); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 1<<20)
	return &target{purpose: p, fd: fds[0]}, func() string {
		t.Helper()
		n, err := unix.Read(fds[1], buffer)
		for err == unix.EINTR { // Go's own preemption signals
			n, err = unix.Read(fds[1], buffer)
		}
		if err != nil {
			t.Fatalf("nothing was written: %v", err)
		}
		return string(buffer[:n])
	}
}

func TestLines(t *testing.T) {
	target, read := packets(t, errorLog)
	log := newLogger(target, zerolog.DebugLevel)
	large := strings.Repeat("x\n", 50_000) + "."
	tests := []struct {
		name           string
		write          func(string, ...any)
		format         string
		args           []any
		level, message string
	}{
		{"debug", log.Debug, "a", nil, "DEBUG", "a"},
		{"info", log.Info, "Booting worker with pid: %d", []any{7}, "INFO", "Booting worker with pid: 7"},
		{"warning", log.Warning, "a", nil, "WARNING", "a"},
		{"error", log.Error, "a", nil, "ERROR", "a"},
		{"critical", log.Critical, "WORKER TIMEOUT (pid:%d)", []any{7}, "CRITICAL", "WORKER TIMEOUT (pid:7)"},
		{"no args, so no format", log.Info, "100%d", nil, "INFO", "100%d"},
		{"one write for many lines", log.Error, "%s", []any{"a\n  b\n\nc\n"}, "ERROR", "a\n  b\n\nc"},
		{"nothing", log.Info, "", nil, "INFO", ""},
		{"quotes and HTML", log.Info, `"a\b" <c> & d`, nil, "INFO", `"a\b" <c> & d`},
		{"letters", log.Info, "é 漢 🐍\u2028", nil, "INFO", "é 漢 🐍\u2028"},
		{"not UTF-8", log.Info, "a\xffb", nil, "INFO", "a\ufffdb"},
		{"controls", log.Info, "\x1b[2J\r\x00\x7f\u009b2J\t.", nil, "INFO", `\x1b[2J\x0d\x00\x7f\x9b2J` + "\t."},
		{"large", log.Error, "%s", []any{large}, "ERROR", large},
	}
	const layout = `^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[%d\] \[(\w+)\] `
	head := regexp.MustCompile(fmt.Sprintf(layout, os.Getpid()))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.write(tt.format, tt.args...)
			got := read()
			match := head.FindStringSubmatch(got)
			if match == nil || match[1] != tt.level {
				t.Fatalf("got %.80q, want level %s", got, tt.level)
			}
			if message := got[len(match[0]):]; message != tt.message+"\n" {
				t.Errorf("got %.80q, want %.80q", message, tt.message)
			}
		})
	}
}

func TestLevels(t *testing.T) {
	names := []string{"debug", "info", "warning", "error", "critical"}
	path := filepath.Join(t.TempDir(), "x.log")
	for i, name := range names {
		log, err := Open(path, strings.ToUpper(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		for _, write := range []func(string, ...any){log.Debug, log.Info, log.Warning, log.Error, log.Critical} {
			write("x")
		}
		written, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for j, other := range names {
			label := "[" + strings.ToUpper(other) + "]"
			if got := strings.Contains(string(written), label); got != (j >= i) {
				t.Errorf("level %s: %s is written: %v", name, label, got)
			}
			if got := log.Enabled(other); got != (j >= i) {
				t.Errorf("level %s: %s is enabled: %v", name, other, got)
			}
		}
		if log.Enabled("loud") {
			t.Error("an unknown level is enabled")
		}
		if err := log.stream.target.close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"warn", "", "notset"} {
		_, err := Open("-", name)
		checkError(t, err, nil, append([]string{fmt.Sprintf("%q", name)}, names...))
	}
}

func TestLoggerIsConcurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	log, err := Open(path, "info")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.stream.target.close() }()
	const writers, each = 4, 50
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				log.Info("two\nlines")
				if err := log.Reopen(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(text), "] two\nlines\n"); got != writers*each {
		t.Errorf("%d messages, want %d", got, writers*each)
	}
}
