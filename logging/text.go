package logging

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"
)

// Keys of an event besides zerolog's "level" and "message".
const (
	timeKey = "time"
	pidKey  = "pid"
)

// errorTime is the datefmt of gunicorn's error log.
const errorTime = "2006-01-02 15:04:05 -0700"

// event is what zerolog hands over, one JSON object for each message.
type event struct {
	Level   string    `json:"level"`
	Time    time.Time `json:"time"`
	PID     int       `json:"pid"`
	Message string    `json:"message"`
}

// textWriter turns zerolog's events into gunicorn's lines: [2026-11-21 01:16:45 +0000] [4711] [INFO] message.
// It makes one Write of each event, however many lines its message has.
type textWriter struct{ out io.Writer }

// Write takes one event. Something that is not an event is passed on as it is: better odd than lost.
func (w textWriter) Write(p []byte) (int, error) {
	var e event
	if err := json.Unmarshal(p, &e); err != nil {
		return w.out.Write(p)
	}
	if _, err := w.out.Write(appendText(nil, &e)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func appendText(dst []byte, e *event) []byte {
	severity, err := zerolog.ParseLevel(e.Level)
	if err != nil {
		severity = zerolog.NoLevel
	}
	dst = append(dst, '[')
	dst = e.Time.Local().AppendFormat(dst, errorTime)
	dst = append(dst, "] ["...)
	dst = strconv.AppendInt(dst, int64(e.PID), 10)
	dst = append(dst, "] ["...)
	dst = append(dst, label(severity)...)
	dst = append(dst, "] "...)
	dst = appendMessage(dst, strings.TrimRight(e.Message, "\n"))
	return append(dst, '\n')
}

// appendMessage keeps the lines of a message and disarms what would command the terminal of who reads the log: the
// C0 controls, DEL and the C1 controls, of which U+009B begins an escape sequence just as ESC [ does.
func appendMessage(dst []byte, message string) []byte {
	for _, r := range message {
		switch {
		case r == '\n', r == '\t':
			dst = append(dst, byte(r))
		case r < ' ', r >= 0x7f && r < 0xa0:
			dst = appendHex(dst, byte(r))
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
