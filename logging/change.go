package logging

import (
	"github.com/pyhost/pyhost/config"
	"golang.org/x/sys/unix"
)

// errorSettings are the settings that an error log is made of.
type errorSettings struct {
	file, level, form               string
	syslog                          bool
	address, prefix, facility       string
	statsd, statsdPrefix, dogstatsd string
}

func errorSettingsOf(c *config.Config) errorSettings {
	s := errorSettings{
		file: c.InChdir(c.ErrorLog), level: c.LogLevel, form: c.LogFormat, syslog: c.Syslog,
		statsd: c.StatsdHost, statsdPrefix: c.StatsdPrefix, dogstatsd: c.DogstatsdTags,
	}
	if c.Syslog {
		s.address, s.facility, s.prefix = c.SyslogAddr, c.SyslogFacility, c.SyslogPrefix
		if s.prefix == "" {
			s.prefix = c.Name()
		}
	}
	return s
}

// Change turns to the error log of other settings, those of a reload, and reports whether they are others. On error all
// stays as it was. Nobody may log meanwhile, and there may be no logger made by For.
func (l *Logger) Change(c *config.Config) (bool, error) {
	if errorSettingsOf(c) == l.settings {
		return false, nil
	}
	moved := *c
	moved.ErrorLog = c.InChdir(c.ErrorLog)
	next, err := New(&moved)
	if err != nil {
		return false, err
	}
	for _, output := range l.outputs {
		output.close(0)
	}
	l.stream.end()
	l.shared = next.shared
	return true, nil
}

// end closes the target for good, unless messages still wait for it. Standard error stays open.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining && s.target.fd != unix.Stderr {
		_ = unix.Close(s.target.fd)
	}
}
