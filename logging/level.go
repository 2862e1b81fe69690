package logging

import (
	"fmt"
	"strings"

	"github.com/rs/zerolog"
)

// level ties a name of gunicorn's loglevel setting to the label in its lines and to zerolog's severity.
type level struct {
	name, label string
	severity    zerolog.Level
}

// levels is ordered from chatty to severe. Critical borrows zerolog's fatal severity, which ends the process only
// when it is logged through zerolog's own Fatal method, and that is never called here.
var levels = [...]level{
	{"debug", "DEBUG", zerolog.DebugLevel},
	{"info", "INFO", zerolog.InfoLevel},
	{"warning", "WARNING", zerolog.WarnLevel},
	{"error", "ERROR", zerolog.ErrorLevel},
	{"critical", "CRITICAL", zerolog.FatalLevel},
}

// parseLevel finds a level by name; case does not matter (gunicorn's loglevel). gunicorn takes an unknown name for
// info, which hides the misspelling: here it is an error.
func parseLevel(name string) (zerolog.Level, error) {
	for _, l := range levels {
		if strings.EqualFold(l.name, name) {
			return l.severity, nil
		}
	}
	return zerolog.NoLevel, fmt.Errorf("unknown log level %q: use debug, info, warning, error or critical", name)
}

// label is the word between brackets in a line of the error log.
func label(severity zerolog.Level) string {
	for _, l := range levels {
		if l.severity == severity {
			return l.label
		}
	}
	return strings.ToUpper(severity.String())
}
