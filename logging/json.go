package logging

import (
	"github.com/rs/zerolog"
)

// Keys of an event besides zerolog's "level" and "message".
const (
	timeKey      = "time"
	pidKey       = "pid"
	workerKey    = "worker"
	requestKey   = "request_id"
	exceptionKey = "exception"
	tracebackKey = "traceback"
)

// jsonTime is RFC 3339 with microseconds; its texts sort as the times do.
const jsonTime = "2006-01-02T15:04:05.000000Z07:00"

func init() {
	// gunicorn's words for levels, not zerolog's warn and fatal.
	zerolog.LevelFieldMarshalFunc = func(severity zerolog.Level) string {
		for _, l := range levels {
			if l.severity == severity {
				return l.name
			}
		}
		return severity.String()
	}
}

// logJSON writes a message as an object with typed fields (--log-format json).
func logJSON(events *zerolog.Logger, m *message) {
	text, traceback, exception := m.split()
	event := events.WithLevel(m.severity).Str(timeKey, m.time.Format(jsonTime)).Int(pidKey, m.pid)
	if m.worker > 0 {
		event.Int(workerKey, m.worker)
	}
	if m.request != "" {
		event.Str(requestKey, m.request)
	}
	if traceback != "" {
		event.Str(exceptionKey, exception).Str(tracebackKey, traceback)
	}
	event.Msg(text)
}
