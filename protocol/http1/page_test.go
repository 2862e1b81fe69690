package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestErrorResponse(t *testing.T) {
	for _, test := range []struct {
		status          int
		message, reason string
		body            string
	}{
		{400, "Invalid <script>", "Bad Request", "Invalid &lt;script&gt;"},
		{501, "", "Not Implemented", "Not Implemented"},
		{505, "a & b", "HTTP Version Not Supported", "a &amp; b"},
	} {
		wire := ErrorResponse(test.status, test.message)
		response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(wire)), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != test.status || !strings.HasSuffix(response.Status, test.reason) || !response.Close ||
			response.ContentLength != int64(len(body)) || response.Header.Get("Content-Type") != "text/html" ||
			!strings.Contains(string(body), test.body) || !strings.Contains(string(body), "<title>"+test.reason) {
			t.Errorf("ErrorResponse(%d, %q) = %s", test.status, test.message, wire)
		}
		if date, err := http.ParseTime(response.Header.Get("Date")); err != nil || time.Since(date) > time.Minute {
			t.Errorf("Date %q, %v", response.Header.Get("Date"), err)
		}
	}
}

func TestRefusalNamesStatusAndRule(t *testing.T) {
	if got := errNoHost.Error(); got != "refused with 400: HTTP/1.1 without Host" {
		t.Error(got)
	}
}
