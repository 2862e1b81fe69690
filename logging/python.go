package logging

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// python gives messages and requests to Python's logging (gunicorn's logconfig, logconfig_dict, logconfig_json and
// logger_class): as packets to a thread of the same process, see logs.py. It never waits for it; what the socket does
// not hold is lost, and counted.
type python struct {
	fd       int
	lost     atomic.Int64
	reported atomic.Int64 // unix ns
	complain func(lost int64)
}

// packet is a message for logs.py.
type packet struct {
	Level string `json:"level"`
	Text  string `json:"text"`
}

// requestPacket is a request for logs.py. Strings are Latin-1, as in WSGI.
type requestPacket struct {
	Environ      map[string]string `json:"environ"`
	Headers      [][2]string       `json:"headers"`
	Status       string            `json:"status"`
	SentHeaders  [][2]string       `json:"sent_headers"`
	Sent         int64             `json:"sent"`
	Microseconds int64             `json:"microseconds"`
	// Variables are the application's, in UTF-8.
	Variables map[string]string `json:"variables,omitempty"`
}

// ToPython sends all further messages, and the access log that NewAccess makes, to the thread of logs.py behind a
// descriptor, which is l's from now on. When that thread has ended, messages go where they would go without it.
func (l *Logger) ToPython(fd int) {
	unix.CloseOnExec(fd)
	l.python = &python{fd: fd, complain: func(lost int64) {
		l.local("Python's logging does not keep up: " + strconv.FormatInt(lost, 10) + " records lost")
	}}
}

// send reports whether Python, or the count of what is lost, has the packet.
func (p *python) send(text []byte) bool {
	switch _, err := unix.SendmsgN(p.fd, text, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL); err {
	case nil:
		p.report()
		return true
	case unix.EAGAIN, unix.EMSGSIZE, unix.ENOBUFS:
		p.lost.Add(1)
		p.report()
		return true
	}
	return false
}

// report tells of losses, at most once every 10 s.
func (p *python) report() {
	if p.lost.Load() == 0 {
		return
	}
	now, last := time.Now().UnixNano(), p.reported.Load()
	if now-last < int64(reportInterval) || !p.reported.CompareAndSwap(last, now) {
		return
	}
	p.complain(p.lost.Swap(0))
}

// write reports whether Python has the message.
func (p *python) write(m *message) bool {
	text, err := json.Marshal(packet{
		Level: zerolog.LevelFieldMarshalFunc(m.severity), Text: strings.TrimRight(m.text, "\n"),
	})
	return err == nil && p.send(text)
}

// record gives a request to Python.
func (p *python) record(r *Record, _ []byte) {
	request := requestPacket{
		Environ: map[string]string{
			"REMOTE_ADDR": latin1(r.RemoteAddr), "REQUEST_METHOD": latin1(r.Method), "RAW_URI": latin1(r.Target),
			"PATH_INFO": latin1(r.Path), "QUERY_STRING": latin1(r.Query), "SERVER_PROTOCOL": latin1(r.Protocol),
		},
		Headers: [][2]string{}, SentHeaders: [][2]string{},
		Status: strconv.Itoa(r.Status), Sent: max(r.BodyBytes, 0), Microseconds: r.elapsed().Microseconds(),
	}
	if r.EachEnviron != nil {
		r.EachEnviron(func(name, value []byte) { request.Environ[latin1(name)] = latin1(value) })
	}
	if r.EachVariable != nil {
		request.Variables = map[string]string{}
		r.EachVariable(func(name, value []byte) { request.Variables[string(name)] = string(value) })
	}
	if r.EachHeader != nil {
		r.EachHeader(func(name, value []byte) {
			request.Headers = append(request.Headers, [2]string{strings.ToUpper(latin1(name)), latin1(value)})
		})
	}
	first := true
	for line := range bytes.Lines(r.ResponseHead) {
		name, value, found := bytes.Cut(bytes.TrimSpace(line), []byte(":"))
		switch {
		case first: // HTTP/1.1 200 OK
			first = false
			if _, status, ok := bytes.Cut(name, []byte(" ")); ok {
				request.Status = latin1(status)
			}
		case found:
			value = bytes.TrimSpace(value)
			request.SentHeaders = append(request.SentHeaders, [2]string{latin1(name), latin1(value)})
		}
	}
	if text, err := json.Marshal(request); err == nil {
		p.send(text)
	}
}

func (p *python) close(time.Duration) {}

// reopen has the files of Python's handlers opened again.
func (p *python) reopen() { p.send([]byte(`{"reopen": true}`)) }

// latin1 is a string with the code points of the bytes.
func latin1(text []byte) string {
	runes := make([]rune, len(text))
	for i, c := range text {
		runes[i] = rune(c)
	}
	return string(runes)
}
