package logging

import (
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// message is one message of the error log.
type message struct {
	time     time.Time
	severity zerolog.Level
	pid      int
	worker   int    // the worker's number; 0 = none: the master
	request  string // the ID of the request that it is about; "" = none is known
	text     string
}

// tracebackStart begins the part of a message that Python wrote.
const tracebackStart = "Traceback (most recent call last):"

// split takes a message apart: what happened, and Python's traceback with the name of the exception at its end, both ""
// if there is none.
func (m *message) split() (text, traceback, exception string) {
	at := strings.Index(m.text, tracebackStart)
	if at < 0 || at > 0 && m.text[at-1] != '\n' {
		return m.text, "", ""
	}
	text, traceback = strings.TrimRight(m.text[:at], "\n"), strings.TrimRight(m.text[at:], "\n")
	// The last line that is not indented has the exception; what follows it continues its text.
	for line := range strings.SplitSeq(traceback, "\n") {
		name, _, _ := strings.Cut(line, ":")
		if name != "" && name[0] != ' ' && !strings.ContainsAny(name, " \t") {
			exception = name
		}
	}
	return text, traceback, exception
}
