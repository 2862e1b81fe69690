// Package logging writes the error log and the access log: gunicorn's lines, from any number of threads.
//
// The error log goes through zerolog: every message is an event with a level, a time and a pid, and the writer behind
// zerolog gives it its form. The access log is on the path of every request, so it has a compiled format and a buffer
// of its own.
//
// Both write to a descriptor that keeps its number when the file is reopened, and neither ever stops the server
// because a disk is full or a reader is gone.
package logging

import (
	"fmt"
	"io"
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
	target   *target
	events   zerolog.Logger
	severity zerolog.Level
}

// Open opens the error log. The target "-" is standard error, anything else a file, which is appended to and created
// with mode 0644 if need be. The level is debug, info, warning, error or critical: less severe messages are dropped.
// An error names the cause and the remedy.
func Open(target, level string) (*Logger, error) {
	severity, err := parseLevel(level)
	if err != nil {
		return nil, err
	}
	t, err := openTarget(errorLog, target)
	if err != nil {
		return nil, err
	}
	// A JSON form of the log is zerolog's own output: the same events given to errorSink, without textWriter.
	return newLogger(t, textWriter{errorSink{t}}, severity), nil
}

func newLogger(t *target, form io.Writer, severity zerolog.Level) *Logger {
	return &Logger{target: t, events: zerolog.New(form).Level(severity), severity: severity}
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
	event := l.events.WithLevel(severity)
	if !event.Enabled() {
		return
	}
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	event.Str(timeKey, time.Now().Format(time.RFC3339Nano)).Int(pidKey, os.Getpid()).Msg(message)
}

// Enabled reports whether messages of the named level are written. An unknown name is not.
func (l *Logger) Enabled(level string) bool {
	severity, err := parseLevel(level)
	return err == nil && severity >= l.severity
}

// Fd is the descriptor that the log is written to: 2 for "-". It stays the same for the life of the Logger.
func (l *Logger) Fd() int { return l.target.fd }

// Reopen opens the file again by its name, after it was rotated. The descriptor keeps its number, so that everything
// that writes to Fd follows. On error the log goes on in the old file. For "-" it does nothing.
func (l *Logger) Reopen() error { return l.target.reopen() }

// errorSink writes one event to the target. An event that the target does not take goes to standard error: there is
// no other place left to tell of it. It never returns an error, because zerolog reports those through os.Stderr, and
// Go ends a process that writes to a closed standard error that way.
type errorSink struct{ target *target }

func (s errorSink) Write(line []byte) (int, error) {
	if _, err := s.target.write(line); err != nil && s.target.fd != unix.Stderr {
		_, _ = unix.Write(unix.Stderr, line)
	}
	return len(line), nil
}
