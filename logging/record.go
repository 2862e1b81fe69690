package logging

import (
	"bytes"
	"time"
)

// Record is what the access log needs to know about one request. AccessLog.Write keeps nothing of it, so one Record
// and its slices can serve request after request. The zero value of a field means that it is not known.
type Record struct {
	RemoteAddr []byte // address of the peer without its port; empty on unix sockets
	Method     []byte
	Target     []byte // RAW_URI: the request target as sent
	Path       []byte // PATH_INFO: percent-decoded
	Query      []byte // QUERY_STRING: without the question mark
	Protocol   []byte // SERVER_PROTOCOL, such as HTTP/1.1

	Status    int   // 0 = no response was made
	BodyBytes int64 // of the response, without head and chunk framing; negative = not known

	// BytesIn is the size of the request's body; negative = not known.
	BytesIn int64
	// FirstByte is from Start to the first byte of the response, and Queued how long the request waited for a Python
	// thread before it; negative = not known.
	FirstByte, Queued time.Duration
	// RequestID is what the ID of the request is, where requests have one.
	RequestID []byte
	// Outcome is what became of the request.
	Outcome Outcome
	// Variable returns what the application has noted for the log under a name. nil = nothing.
	Variable func(name string) ([]byte, bool)
	// EachVariable calls a function with all of these; a name may come again, then its last value counts. nil = nothing.
	EachVariable func(func(name, value []byte))

	Start    time.Time     // wall clock at the first byte of the request; zero = now, less Duration
	Duration time.Duration // from Start to the end of the response; negative counts as 0
	PID      int           // of the process that answered; 0 = this process

	// RequestHeader returns the value of a request header by its lower-case name. nil = there are none. It is called
	// with the log locked, as Environ is: neither may call into the AccessLog.
	RequestHeader func(name string) ([]byte, bool)
	// EachHeader calls a function with every request header, as it was sent. nil = there are none.
	EachHeader func(func(name, value []byte))
	// ResponseHead is the head of the response as it was sent, status line first.
	ResponseHead []byte
	// Environ returns a variable of the WSGI environ by its lower-case name (remote_addr, wsgi.url_scheme). nil =
	// there are none.
	Environ func(name string) ([]byte, bool)
	// EachEnviron calls a function with the variables that the format names, as the application left them. nil = none.
	EachEnviron func(func(name, value []byte))
}

// Outcome is what became of a request.
type Outcome uint8

// The outcomes.
const (
	Answered   Outcome = iota // the response was sent, or given to the kernel
	Failed                    // the application raised an exception; the client has an error page or a cut response
	ClientGone                // the client left before the end of the response
	TimedOut                  // the request took too long, and was ended
	Refused                   // the request was no acceptable HTTP, or not welcome
	WorkerDied                // the worker ended while it ran
)

var outcomes = [...]string{"answered", "failed", "client-gone", "timeout", "refused", "worker-died"}

// String is the outcome in the log.
func (o Outcome) String() string { return outcomes[o] }

// FindHeader finds a header in a serialised message head (status or request line, then name: value lines with CRLF or
// LF ends) whatever the case of its name. Of several headers with the name the last one counts, as in gunicorn's log.
// The value is a slice of head, without the white space around it.
func FindHeader(head []byte, name string) (value []byte, found bool) {
	_, head, _ = bytes.Cut(head, newline)
	for len(head) > 0 {
		var line []byte
		line, head, _ = bytes.Cut(head, newline)
		line = bytes.TrimSuffix(line, carriageReturn)
		if len(line) == 0 { // RFC 9112, 2.1: an empty line ends the head
			break
		}
		if len(line) > len(name) && line[len(name)] == ':' && equalFold(line[:len(name)], name) {
			value, found = bytes.Trim(line[len(name)+1:], " \t"), true
		}
	}
	return value, found
}

var (
	newline        = []byte{'\n'}
	carriageReturn = []byte{'\r'}
)

// equalFold compares ASCII only: header names are tokens (RFC 9110, 5.6.2), and Unicode folding would find U+212A in k.
func equalFold(a []byte, b string) bool {
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
