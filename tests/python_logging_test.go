package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// loggingConfig is a configuration as gunicorn's users write it, in a directory of its own.
func loggingConfig(t *testing.T, name, content string) (path, log string) {
	t.Helper()
	directory := t.TempDir()
	path, log = filepath.Join(directory, name), filepath.Join(directory, "python.log")
	content = strings.ReplaceAll(content, "LOG", log)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path, log
}

const jsonLogging = `{"version": 1, "formatters": {"tagged": {"()": "wsgi.Tagged"}},
	"handlers": {"file": {"class": "logging.FileHandler", "filename": "LOG", "formatter": "tagged"}},
	"loggers": {"gunicorn.error": {"handlers": ["file"], "level": "INFO", "propagate": false},
		"gunicorn.access": {"handlers": ["file"], "level": "INFO", "propagate": false}}}`

const iniLogging = `[loggers]
keys=root, gunicorn.error, gunicorn.access
[handlers]
keys=file
[formatters]
keys=tagged
[logger_root]
handlers=file
[logger_gunicorn.error]
level=INFO
handlers=file
propagate=0
qualname=gunicorn.error
[logger_gunicorn.access]
level=INFO
handlers=file
propagate=0
qualname=gunicorn.access
[handler_file]
class=logging.FileHandler
formatter=tagged
args=('LOG',)
[formatter_tagged]
class=wsgi.Tagged
`

// A configuration for Python's logging gets every request and message under gunicorn's names.
func TestPythonLogging(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		for option, content := range map[string]string{"--log-config-json": jsonLogging, "--log-config": iniLogging} {
			t.Run(option, func(t *testing.T) {
				t.Parallel()
				path, log := loggingConfig(t, "config", content)
				s := Start(t, Options{App: "logging_app", Kind: kind, Cold: true, Args: []string{option, path,
					"--access-logformat", `%(h)s "%(r)s" %(s)s %(b)s %({host}i)s %({x-answer}o)s %({x-none}i)s`}})
				s.FollowLog(log)
				s.AwaitReady()
				s.Expect("ValueError: 100% wrong")
				s.Get("/fine?q=1").Want(t, 200, "done")
				s.Get("/raise")
				eventually(t, "both requests and the error", func() bool {
					text := contentOf(log)
					return strings.Contains(text, `gunicorn.access|INFO|127.0.0.1 "GET /fine?q=1 HTTP/1.1" 200 4 test 42 -|`+
						"GET /fine?q=1 HTTP/1.1\n") &&
						strings.Contains(text, `gunicorn.access|INFO|127.0.0.1 "GET /raise HTTP/1.1" 500 `) &&
						strings.Contains(text, "gunicorn.error|ERROR|Error handling request GET /raise\n") &&
						strings.Contains(text, "ValueError: 100% wrong")
				})
				if strings.Count(s.Log(), "Error handling request") != 1 {
					t.Error("the error is in the server's own log as well")
				}
				s.FollowLog(log + ".1")
				if err := os.Rename(log, log+".1"); err != nil {
					t.Fatal(err)
				}
				s.Signal(syscall.SIGUSR1)
				eventually(t, "a line in the reopened file", func() bool {
					s.Get("/again")
					return strings.Contains(contentOf(log), "/again")
				})
			})
		}
	})
}

// A logger_class gets what gunicorn's would get.
func TestLoggerClass(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "logging_app", Kind: kind, Args: []string{"--logger-class", "wsgi.Custom"}})
		s.Get("/fine?q=1").Want(t, 200, "done")
		s.Get("/raise")
		s.WaitLog(`(?m)^custom 200 OK 4 GET /fine test$`, 1)
		s.WaitLog(`(?m)^custom 500 Internal Server Error \d+ GET /raise test$`, 1)
		s.WaitLog(`(?m)^custom error: Error handling request GET /raise$`, 1)
	})
}

// What is wrong with a logging configuration is told once, before anything serves.
func TestBadLoggingConfig(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--log-config", "/nonexistent.ini"}, {"--logger-class", "no_such_module.Logger"}} {
		s := Start(t, Options{App: "hello", Cold: true, Args: args})
		s.Allow(`.`)
		s.WaitExit(3)
		s.WaitLog(`the logging settings do not work: (OSError: log config '/nonexistent.ini' not found|`+
			`ModuleNotFoundError: No module named 'no_such_module')`, 1)
	}
}

// Without a setting the logger gunicorn.error has a handler and a level, as under gunicorn: applications use them for
// messages of their own, whichever form the log has, and wherever it goes.
func TestLoggerOfTheServer(t *testing.T) {
	t.Parallel()
	const text, object = `\[[^]]*\] \[PID\] \[INFO\] an own message$`,
		`{"level": "info", "time": "[^"]*", "pid": PID, "worker": 1, "message": "an own message"}$`
	const raised, fields = `\[ERROR\] it failed\nTraceback (.*\n)+?KeyError: 'key'\n`,
		`"message": "it failed", "exception": "KeyError", "traceback": "Traceback .*KeyError: 'key'"}\n`
	for _, c := range []struct {
		name         string
		args         []string
		file         bool
		want, failed string
	}{
		{"plain", nil, false, text, raised}, {"preload", []string{"--preload"}, true, text, raised},
		{"json", []string{"--log-format", "json"}, false, object, fields},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			errorLog := filepath.Join(t.TempDir(), "error.log")
			if c.file {
				c.args = append(c.args, "--error-logfile", errorLog)
			}
			s := Start(t, Options{App: "logging_app", Cold: true, Args: c.args})
			if c.file {
				s.FollowLog(errorLog)
			}
			s.AwaitReady()
			s.Expect("one more")
			s.Expect("it failed")
			s.Get("/log").Want(t, 200, "done")
			s.WaitLog(`(?m)^`+strings.ReplaceAll(c.want, "PID", itoa(s.Workers()[0])), 1)
			s.WaitLog("one more(…|.u2026)", 1)
			s.WaitLog(c.failed, 1)
			if strings.Contains(s.Log(), "unseen") {
				t.Error("--log-level does not hold")
			}
		})
	}
}

// A logger_class may have atoms of its own in access_log_format.
func TestLoggerClassWithAtomsOfItsOwn(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "logging_app", Args: []string{
		"--logger-class", "wsgi.Atomic", "--access-logfile", "-", "--access-logformat", "%(mine)s %(s)s"}})
	s.Get("/fine").Want(t, 200, "done")
	eventually(t, "its line", func() bool { return strings.Contains(s.Output(), "of /fine 200\n") })
}

// What the application prints is in the error log, with the worker's pid.
func TestCaptureOutput(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		errorLog := filepath.Join(t.TempDir(), "error.log")
		s := Start(t, Options{App: "logging_app", Kind: kind, Cold: true,
			Args: []string{"--error-logfile", errorLog, "--capture-output"}})
		s.FollowLog(errorLog)
		s.AwaitReady()
		s.Expect(`a warning of the application`)
		s.Allow(`half a line|warnings.warn`)
		s.Get("/print")
		pid := itoa(s.Workers()[0])
		s.WaitLog(`(?m)^\[[^]]*\] \[`+pid+`\] \[INFO\] printed café$`, 1)
		s.WaitLog(`(?m)^\[[^]]*\] \[`+pid+`\] \[WARNING\] half a line$`, 1)
		s.WaitLog(`(?m)^\[[^]]*\] \[`+pid+`\] \[WARNING\] .*UserWarning: a warning of the application`, 1)
	})
}

// A Python config file may have objects in logconfig_dict, and a class as logger_class.
func TestPythonLoggingFromConfigFile(t *testing.T) {
	t.Parallel()
	path, log := loggingConfig(t, "gunicorn.conf.py", `
import logging, sys
class Marked(logging.Formatter):
    def format(self, record):
        return "marked " + super().format(record)
from _pyhost_logs import Logger
class Mine(Logger):
    def access(self, resp, req, environ, request_time):
        self.access_log.info("mine %s %s", req.path, resp.status)
logger_class = Mine
logconfig_dict = {
    "version": 1,
    "formatters": {"marked": {"()": Marked}},
    "handlers": {"file": {"class": "logging.FileHandler", "filename": "LOG", "formatter": "marked"}},
    "loggers": {"gunicorn.access": {"handlers": ["file"], "level": "INFO"}},
}
`)
	s := Start(t, Options{App: "hello", Args: []string{"-c", path}})
	s.Get("/path")
	eventually(t, "a line", func() bool { return contentOf(log) == "marked mine /path 200 OK\n" })
}

// Where threads are greenlets and sockets cooperate (gevent), the thread that logs comes to nothing before the end,
// which ends its wait with an exception: what it has not read is logged then.
func TestPythonLoggingOfGreenlets(t *testing.T) {
	t.Parallel()
	path, log := loggingConfig(t, "gunicorn.conf.py", `
import socket, threading

class Cooperative(socket.socket):
    over = threading.Event()
    def recv(self, *args):
        if b"environ" in super().recv(1 << 16, socket.MSG_PEEK) and not self.over.is_set():
            self.over.wait()
            raise OSError("cancelled")
        return super().recv(*args)
    def shutdown(self, how):
        super().shutdown(how)
        self.over.set()

socket.socket = Cooperative
logconfig_dict = {
    "version": 1,
    "handlers": {"file": {"class": "logging.FileHandler", "filename": "LOG"}},
    "loggers": {"gunicorn.access": {"handlers": ["file"], "level": "INFO", "propagate": False}},
}
`)
	s := Start(t, Options{App: "hello", Args: []string{"-c", path, "--access-logformat", "%(U)s"}})
	want := ""
	for i := range 9 {
		s.Get("/"+itoa(i)).wantStatus(t, 200)
		want += "/" + itoa(i) + "\n"
	}
	s.Signal(syscall.SIGTERM)
	s.WaitExit(0)
	if got := contentOf(log); got != want {
		t.Errorf("logged %q, want %q", got, want)
	}
}

// What the master says while it serves goes there, too, with its own pid; its files are opened again on SIGUSR1.
func TestPythonLoggingOfTheMaster(t *testing.T) {
	t.Parallel()
	content := strings.ReplaceAll(jsonLogging, `"()": "wsgi.Tagged"`, `"format": "%(process)d %(name)s %(message)s"`)
	path, log := loggingConfig(t, "config", content)
	s := Start(t, Options{App: "logging_app", Kind: syncKind, Cold: true, Args: []string{"--log-config-json", path}})
	s.FollowLog(log)
	s.AwaitReady()
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	s.FollowLog(log + ".1")
	s.Signal(syscall.SIGUSR1)
	// Two signals at once come in any order: the second is sent when the first has been followed.
	eventually(t, "the new file", func() bool { _, err := os.Stat(log); return err == nil })
	s.Signal(syscall.SIGTTIN)
	line := fmt.Sprintf("%d gunicorn.error Handling signal: ttin\n", s.PID)
	eventually(t, "a line of the master in the new file", func() bool { return strings.Contains(contentOf(log), line) })
	s.WaitWorkers(2)
	worker := s.Workers()[0]
	syscall.Kill(worker, syscall.SIGKILL)
	line = fmt.Sprintf("%d gunicorn.error Worker (pid:%d) was sent SIGKILL!", s.PID, worker)
	eventually(t, "the end of a worker in the new file", func() bool { return strings.Contains(contentOf(log), line) })
	s.WaitWorkers(2)
	s.forgetDescriptors()
}
