// Package logging writes the error log and the access log: gunicorn's lines, or JSON, from any number of threads, to
// files, standard streams, syslog, statsd and Python's logging.
//
// A message of the error log goes to each of its outputs at once. The access log is on the path of every request, so it
// has a compiled format and a buffer of its own.
//
// Files keep the number of their descriptor when they are reopened, and no output ever stops the server because a disk
// is full or a reader is gone: what it does not take is counted and reported.
package logging

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// Logger is the error log (gunicorn's errorlog and loglevel settings). All methods are safe for concurrent use.
//
// A message may have several lines (a traceback): they reach the file in one write(2), so that lines of other
// processes cannot come between them. Control characters other than newline and tab are written as \xHH. A newline is
// kept, so a value that a client sent belongs under %q.
type Logger struct {
	*shared
	request string // see For
}

// shared is what all Loggers made of one have in common.
type shared struct {
	stream   *stream
	severity zerolog.Level
	worker   int             // see SetWorker
	json     *zerolog.Logger // the form is JSON; nil = text
	journal  bool            // standard error is systemd's journal
	outputs  []errorOutput   // besides stream
	statsd   *statsd         // one of outputs; nil = none
	python   *python         // takes messages in place of stream; nil = none
	settings errorSettings   // what New made it of
}

// errorOutput takes messages of the error log, all levels of them: it looks at enabled. It must not wait.
type errorOutput interface {
	message(m *message, enabled bool)
	close(limit time.Duration)
}

// Open opens the error log in gunicorn's form. The target "-" is standard error, anything else a file, which is
// appended to and created with mode 0644 if need be. The level is debug, info, warning, error or critical:
// less severe messages are dropped. An error names the cause and the remedy.
func Open(target, level string) (*Logger, error) {
	severity, err := parseLevel(level)
	if err != nil {
		return nil, err
	}
	t, err := openTarget(errorLog, target)
	if err != nil {
		return nil, err
	}
	return newLogger(t, severity), nil
}

func newLogger(t *target, severity zerolog.Level) *Logger {
	l := &Logger{shared: &shared{stream: &stream{target: t}, severity: severity}}
	l.journal = t.path == "" && isJournal(t.fd, os.Getenv("JOURNAL_STREAM"))
	l.stream.note = func(lost losses) []byte {
		m := message{time: time.Now(), severity: zerolog.ErrorLevel, pid: os.Getpid(), text: lost.tell()}
		return appendText(nil, &m)
	}
	return l
}

// writeJSON makes JSON the form of the log.
func (l *Logger) writeJSON() {
	events := zerolog.New(l.stream)
	l.json = &events
	l.stream.note = func(lost losses) []byte {
		var line bytes.Buffer
		once := zerolog.New(&line)
		logJSON(&once, &message{time: time.Now(), severity: zerolog.ErrorLevel, pid: os.Getpid(), text: lost.tell()})
		return line.Bytes()
	}
}

// SetWorker has messages carry the number of the worker that writes them, from 1; only JSON shows it. It comes before
// other threads use l.
func (l *Logger) SetWorker(number int) { l.worker = number }

// For is a logger whose messages are about the request with an ID; "" is none.
func (l *Logger) For(request []byte) *Logger {
	if len(request) == 0 {
		return l
	}
	return &Logger{shared: l.shared, request: string(request)}
}

// Debug logs a message for who is looking for a fault. As with the methods below, format and args are fmt's, and a
// format without args is taken as it is.
func (l *Logger) Debug(format string, args ...any) { l.log(zerolog.DebugLevel, format, args...) }

// Info logs an event of normal operation.
func (l *Logger) Info(format string, args ...any) { l.log(zerolog.InfoLevel, format, args...) }

// Warning logs something that the server could deal with but somebody should know.
func (l *Logger) Warning(format string, args ...any) { l.log(zerolog.WarnLevel, format, args...) }

// Error logs a failure: a request or a worker was lost.
func (l *Logger) Error(format string, args ...any) { l.log(zerolog.ErrorLevel, format, args...) }

// Critical logs a failure that needs somebody now. It does not end the process.
func (l *Logger) Critical(format string, args ...any) { l.log(zerolog.FatalLevel, format, args...) }

func (l *Logger) log(severity zerolog.Level, format string, args ...any) {
	enabled := severity >= l.severity
	if !enabled && len(l.outputs) == 0 {
		return
	}
	m := message{
		time: time.Now(), severity: severity, pid: os.Getpid(), worker: l.worker, request: l.request, text: format,
	}
	if len(args) > 0 {
		m.text = fmt.Sprintf(format, args...)
	}
	if enabled {
		l.write(&m)
	}
	for _, output := range l.outputs {
		output.message(&m, enabled)
	}
}

// write writes a message to the stream.
func (l *Logger) write(m *message) {
	if l.python != nil && l.python.write(m) {
		return
	}
	if l.json != nil {
		logJSON(l.json, m)
		return
	}
	line := appendText(nil, m)
	if l.journal {
		line = appendJournal(nil, line, m.severity)
	}
	_, _ = l.stream.Write(line)
}

// Enabled reports whether messages of the named level are written. An unknown name is not.
func (l *Logger) Enabled(level string) bool {
	severity, err := parseLevel(level)
	return err == nil && severity >= l.severity
}

// Fd is the descriptor that the log is written to. It stays the same for the life of the Logger. A write to it may fail
// with EAGAIN: where standard error is a pipe, it is a second, non-blocking descriptor of that.
func (l *Logger) Fd() int { return l.stream.target.fd }

// Reopen opens the file again by its name, after it was rotated. The descriptor keeps its number, so that everything
// that writes to Fd follows. On error the log goes on in the old file. For "-" it does nothing.
func (l *Logger) Reopen() error {
	if l.python != nil {
		l.python.reopen()
	}
	return l.stream.reopen()
}

// Capture makes the standard output and error of the process the file of the log, also after it is opened anew
// (gunicorn's capture_output). Where the log goes to standard error it does nothing.
func (l *Logger) Capture() error {
	t := l.stream.target
	if t.path == "" {
		return nil
	}
	t.copies = []int{unix.Stdout, unix.Stderr}
	return t.copy()
}

// Flush waits until what was logged is written, at most for limit. A log whose target takes what it is given has
// nothing to wait for.
func (l *Logger) Flush(limit time.Duration) { l.stream.flush(limit) }
