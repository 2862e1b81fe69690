package tests

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Field is one header line.
type Field struct{ Name, Value string }

// Response is one response as the wire had it.
type Response struct {
	Proto     string // "HTTP/1.1"
	Status    int
	Reason    string
	Fields    []Field // in order
	Body      string
	Framing   string // how the body's end was told: none, length, chunked, close
	Truncated bool   // the connection ended before the body did
}

var (
	statusLine = regexp.MustCompile(`^(HTTP/1\.[01]) ([1-9]\d\d) ([^\x00-\x08\x0a-\x1f\x7f]*)$`)
	fieldLine  = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([^\\x00-\\x08\\x0a-\\x1f\\x7f]*)$")
)

// readResponse parses one response without tolerating anything that RFC 9112 does not allow a server to send.
func readResponse(reader *bufio.Reader, method string) (*Response, error) {
	r, err := readHead(reader)
	if err != nil {
		return nil, err
	}
	return r, r.readBody(reader, method)
}

// readHead leaves the reader at the first byte of the body.
func readHead(reader *bufio.Reader) (*Response, error) {
	line, err := readLine(reader)
	if err != nil {
		return nil, fmt.Errorf("no status line: %w", err)
	}
	match := statusLine.FindStringSubmatch(line)
	if match == nil {
		return nil, fmt.Errorf("malformed status line %q", line)
	}
	r := &Response{Proto: match[1], Reason: match[3]}
	r.Status, _ = strconv.Atoi(match[2])
	for {
		if line, err = readLine(reader); err != nil {
			return nil, fmt.Errorf("head cut after %v: %w", r.Fields, err)
		}
		if line == "" {
			return r, nil
		}
		field := fieldLine.FindStringSubmatch(line)
		if field == nil {
			return nil, fmt.Errorf("malformed field line %q", line)
		}
		r.Fields = append(r.Fields, Field{field[1], field[2]})
	}
}

func readLine(reader *bufio.Reader) (string, error) {
	line, err := reader.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("after %q: %w", line, err)
	}
	if !strings.HasSuffix(line, "\r\n") {
		return "", fmt.Errorf("line %q does not end in CRLF", line)
	}
	return line[:len(line)-2], nil
}

// readBody applies the rules of RFC 9112 section 6.3.
func (r *Response) readBody(reader *bufio.Reader, method string) error {
	lengths, codings := r.Values("Content-Length"), r.Values("Transfer-Encoding")
	switch {
	case len(lengths) > 1 || len(codings) > 1 || len(lengths)+len(codings) > 1:
		return fmt.Errorf("ambiguous framing: %v", r.Fields)
	case len(codings) == 1 && (r.Proto != "HTTP/1.1" || codings[0] != "chunked" || r.Status < 200 || r.Status == 204):
		return fmt.Errorf("transfer coding %q in a %s %d response", codings[0], r.Proto, r.Status)
	case len(lengths) == 1 && (r.Status < 200 || r.Status == 204):
		return fmt.Errorf("Content-Length in a %d response", r.Status) // RFC 9110 section 8.6
	case method == "HEAD" || r.Status < 200 || r.Status == 204 || r.Status == 304:
		r.Framing = "none"
		return nil
	case len(codings) == 1:
		r.Framing = "chunked"
		return r.readChunks(reader)
	case len(lengths) == 1:
		r.Framing = "length"
		length, err := strconv.ParseUint(lengths[0], 10, 63)
		if err != nil {
			return fmt.Errorf("Content-Length %q", lengths[0])
		}
		return r.readBytes(reader, int64(length))
	}
	r.Framing = "close"
	body, err := io.ReadAll(reader)
	r.Body = string(body)
	return r.cut(err)
}

func (r *Response) readBytes(reader *bufio.Reader, count int64) error {
	var body strings.Builder
	n, err := io.Copy(&body, io.LimitReader(reader, count))
	r.Body += body.String()
	if n < count {
		r.Truncated = true
	}
	return r.cut(err)
}

// cut turns the end of the connection into a truncated response; a reset is as good an end as any.
func (r *Response) cut(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		r.Truncated = true
		return nil
	}
	return err
}

func (r *Response) readChunks(reader *bufio.Reader) error {
	for {
		line, err := readLine(reader)
		if err != nil {
			return r.cut(err)
		}
		size, err := strconv.ParseUint(line, 16, 62)
		if err != nil {
			return fmt.Errorf("chunk size %q", line)
		}
		if err := r.readBytes(reader, int64(size)); err != nil || r.Truncated {
			return err
		}
		end, err := readLine(reader)
		if err != nil {
			return r.cut(err)
		}
		if end != "" {
			return fmt.Errorf("chunk of %d bytes continues with %q", size, end)
		}
		if size == 0 {
			return nil
		}
	}
}

// Values are the values of all fields of this name, in order.
func (r *Response) Values(name string) []string {
	var values []string
	for _, field := range r.Fields {
		if strings.EqualFold(field.Name, name) {
			values = append(values, field.Value)
		}
	}
	return values
}

// Value is the value of the only field of this name, or "".
func (r *Response) Value(name string) string {
	return strings.Join(r.Values(name), ", ")
}

// Closes reports whether the response announces the end of the connection.
func (r *Response) Closes() bool {
	return strings.EqualFold(r.Value("Connection"), "close")
}

// Want demands a complete response with this status and body.
func (r *Response) Want(t *testing.T, status int, body string) *Response {
	t.Helper()
	if r.Status != status || r.Body != body || r.Truncated {
		t.Errorf("got %d %.300q (truncated: %v, framing: %s), want %d %.300q",
			r.Status, r.Body, r.Truncated, r.Framing, status, body)
	}
	return r
}

// JSON decodes the body of a 200 response.
func (r *Response) JSON(t *testing.T, target any) {
	t.Helper()
	if r.Status != 200 {
		t.Fatalf("status %d, body %q", r.Status, r.Body)
	}
	if err := json.Unmarshal([]byte(r.Body), target); err != nil {
		t.Fatalf("%v in %q", err, r.Body)
	}
}
