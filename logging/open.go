package logging

import (
	"fmt"
	"time"

	"github.com/pyhost/pyhost/config"
)

// New opens the error log that the settings ask for, with its further outputs. An error names the cause and the remedy.
func New(c *config.Config) (*Logger, error) {
	l, err := Open(c.ErrorLog, c.LogLevel)
	if err != nil {
		return nil, err
	}
	l.settings = errorSettingsOf(c)
	if c.LogFormat == "json" {
		l.writeJSON()
	}
	return l, l.addOutputs(c)
}

func (l *Logger) addOutputs(c *config.Config) error {
	if c.Syslog {
		s, err := newSyslog(c, "error", l.local)
		if err != nil {
			return err
		}
		l.outputs = append(l.outputs, s)
	}
	s, err := newStatsd(c)
	if err != nil {
		l.local(fmt.Sprintf("No metrics: statsd_host %s: %v", c.StatsdHost, err))
	}
	if s != nil {
		l.outputs = append(l.outputs, s)
		l.statsd = s
	}
	return nil
}

// local writes a warning about an output, to the stream alone.
func (l *Logger) local(text string) {
	only := Logger{shared: &shared{stream: l.stream, severity: l.severity, json: l.json, journal: l.journal}}
	only.Warning("%s", text)
}

// Workers tells statsd how many workers are wanted. Without statsd it does nothing.
func (l *Logger) Workers(number int) {
	if l.statsd != nil {
		l.statsd.gauge("gunicorn.workers", number)
	}
}

// Backlog tells statsd how many connections wait to be accepted. Without statsd it does nothing.
func (l *Logger) Backlog(number int) {
	if l.statsd != nil {
		l.statsd.timing("gunicorn.backlog", number)
	}
}

// Close waits until what was logged is on its way, at most for limit. The log can still be used.
func (l *Logger) Close(limit time.Duration) {
	l.Flush(limit)
	for _, output := range l.outputs {
		output.close(limit)
	}
}

// AccessFormat is the format of the lines of the access log. A logger_class formats its records itself, and may have
// atoms of its own: where a format is nothing but its business, lines for others (syslog) have the default one.
func AccessFormat(c *config.Config) string {
	if c.HasLoggerClass() && CheckFormat(c.AccessLogFormat) != nil {
		return DefaultAccessFormat
	}
	return c.AccessLogFormat
}

// NewAccess opens the access log that the settings ask for: nil if they ask for none. Its metrics go the way of l's.
func NewAccess(c *config.Config, l *Logger) (*AccessLog, error) {
	target := c.AccessLog
	var outputs []accessOutput
	if l.python != nil { // its handlers write the file
		target = ""
		outputs = append(outputs, l.python)
	}
	a, err := OpenAccess(target, AccessFormat(c))
	if err != nil {
		return nil, err
	}
	if c.Syslog && !c.DisableRedirectAccessToSyslog {
		s, err := newSyslog(c, "access", l.local)
		if err != nil {
			return nil, err
		}
		outputs = append(outputs, s)
	}
	if l.statsd != nil {
		outputs = append(outputs, l.statsd)
	}
	if a == nil && len(outputs) > 0 {
		compiled, err := compile(AccessFormat(c))
		if err != nil {
			return nil, fmt.Errorf("%w", err)
		}
		a = newAccessLog(nil, compiled)
	}
	if a != nil {
		a.outputs = outputs
		a.OnError = func(err error, lost int) {
			if lost == 0 {
				l.Error("Access log: %v", err)
				return
			}
			l.Error("Access log: %v; %d lines lost", err, lost)
		}
	}
	return a, nil
}
