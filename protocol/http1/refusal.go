package http1

import (
	"errors"
	"strconv"
)

// ErrIncomplete says that the bytes are the beginning of a correct message and more are needed. Nothing was
// consumed.
var ErrIncomplete = errors.New("http1: message is not complete yet")

// Refusal is the reason why a message is not accepted. The connection must be closed after the answer, because
// where the next message would begin is not known (RFC 9112 9.3). Refusals are shared values: do not change one.
type Refusal struct {
	// Status is the answer's status code: 400, 413, 414, 417, 431, 501, 505; 500 for a server that is configured
	// wrongly.
	Status int
	// Rule is the broken rule in one phrase, for the log. It never contains bytes that the client sent.
	Rule string
}

// Error returns the status and the rule.
func (r *Refusal) Error() string { return "refused with " + strconv.Itoa(r.Status) + ": " + r.Rule }

// refusal makes the error values below once, so that a refused request costs no memory.
func refusal(status int, rule string) error { return &Refusal{Status: status, Rule: rule} }

var (
	errBareCR       = refusal(400, "CR without LF")
	errBareLF       = refusal(400, "line ends with LF instead of CRLF")
	errLineTooLong  = refusal(414, "request line longer than limit_request_line")
	errFieldTooLong = refusal(431, "header line longer than limit_request_field_size")
	errFields       = refusal(431, "more header lines than limit_request_fields")
	errHeadTooLong  = refusal(431, "head longer than all limits together")
	errBodyTooLarge = refusal(413, "body larger than limit_request_body")
	errTrailerName  = refusal(400, "Trailer names a field that cannot be one") // RFC 9110 6.5.1
	errSecond       = refusal(400, "fasthttp reads the head differently")
)
