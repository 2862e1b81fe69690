package arbiter

import (
	"fmt"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
)

// pythonLog is the master's log. It gives messages to Python's logging where the settings ask for that and a forkserver
// is there to take them: gunicorn's logconfig, logconfig_dict, logconfig_json, logger_class. The others, those of a
// start and of the end, go to the error log.
//
// It belongs to the goroutine of loop.
type pythonLog struct {
	Log
	a *arbiter
}

// usesPythonLogging says whether Python's logging takes the log.
func usesPythonLogging(c *config.Config) bool {
	return c.LogConfig != "" || c.LogConfigJSON != "" || len(c.LogConfigDict) > 0 || c.HasLoggerClass()
}

// send reports whether a forkserver gets the message.
func (l pythonLog) send(level, format string, args []any) bool {
	g := l.a.current
	if g == nil || g.server == nil || !usesPythonLogging(g.config) {
		return false
	}
	s := g.server
	if !s.ready || s.leaving || s.hungUp || s.reaped {
		return false
	}
	line := wire.LogLine{Level: level, Text: fmt.Sprintf(format, args...)}
	s.link.command(wire.Command{Command: wire.CommandLog, Log: &line, MasterPID: l.a.pid})
	return true
}

func (l pythonLog) Debug(format string, args ...any) {
	if !l.send("debug", format, args) {
		l.Log.Debug(format, args...)
	}
}

func (l pythonLog) Info(format string, args ...any) {
	if !l.send("info", format, args) {
		l.Log.Info(format, args...)
	}
}

func (l pythonLog) Warning(format string, args ...any) {
	if !l.send("warning", format, args) {
		l.Log.Warning(format, args...)
	}
}

func (l pythonLog) Error(format string, args ...any) {
	if !l.send("error", format, args) {
		l.Log.Error(format, args...)
	}
}

func (l pythonLog) Critical(format string, args ...any) {
	if !l.send("critical", format, args) {
		l.Log.Critical(format, args...)
	}
}

// Reopen opens the files of Python's handlers again, too.
func (l pythonLog) Reopen() error {
	l.send("reopen", "", nil)
	return l.Log.Reopen()
}
