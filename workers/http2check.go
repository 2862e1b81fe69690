package workers

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// malformed says which rule a request breaks that net/http lets pass; "" if none. In HTTP/1.1 it would be cut in
// another place, end there, or be another one.
func malformed(r *http.Request) (rule string) {
	switch {
	case !oneWord(r.Method):
		return "method is empty or has a blank"
	case !oneWord(r.RequestURI):
		return "path is empty or has a blank"
	case r.RequestURI[0] != '/' && r.RequestURI != "*" && r.Method != http.MethodConnect:
		return "path does not begin with /" // RFC 9113 8.3.1
	case !sameLength(r.Header["Content-Length"], r.ContentLength):
		return "Content-Length is not the length of the body"
	case !sameHost(r.Header["Host"], r.Host):
		return "Host is not the :authority"
	}
	return ""
}

func oneWord(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] == 0x7f {
			return false
		}
	}
	return text != ""
}

// sameLength: RFC 9113 8.1.1. net/http takes what is no number for 0, and does not look at a request without a body.
func sameLength(declared []string, length int64) bool {
	if len(declared) == 0 {
		return true
	}
	n, err := strconv.ParseUint(declared[0], 10, 63)
	return err == nil && int64(n) == length && len(declared) == 1
}

// sameHost: RFC 9113 8.3.1. Without an :authority, net/http takes the first Host for it.
func sameHost(declared []string, authority string) bool {
	return len(declared) == 0 || len(declared) == 1 && strings.EqualFold(declared[0], authority)
}

// withoutBody finds out whether a GET or HEAD whose stream goes on behind the head has a body: some proxies
// (mod_proxy_http2) end it with an empty DATA frame, for which they have as long as for the head.
func withoutBody(w http.ResponseWriter, r *http.Request, limit time.Duration) {
	if r.ContentLength >= 0 || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return
	}
	control := http.NewResponseController(w)
	control.SetReadDeadline(after(limit))
	var first [1]byte
	n, err := r.Body.Read(first[:])
	control.SetReadDeadline(time.Time{})
	if n == 0 && errors.Is(err, io.EOF) {
		r.ContentLength = 0
		return
	}
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(first[:n]), r.Body))
}
