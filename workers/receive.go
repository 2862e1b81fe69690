package workers

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pyhost/pyhost/protocol/http1"
)

// cutError: the client left before its request was complete.
type cutError struct{ what string }

func (e *cutError) Error() string { return e.what }

// receiver reads the rest of one request.
type receiver struct {
	l       *lane
	f       *os.File
	parser  *http1.Parser
	request http1.Request
	pace    *pace  // of the body
	raw     []byte // everything read so far, until the body goes to a file
}

// complete reads from f until the request that begins with raw is whole.
func (l *lane) complete(f *os.File, raw []byte) (*message, error) {
	parser, _ := l.parsers.Get().(*http1.Parser)
	if parser == nil {
		parser = l.w.newParser()
	}
	defer l.parsers.Put(parser)
	r := &receiver{l: l, f: f, parser: parser, raw: raw}
	if err := r.head(); err != nil {
		return nil, err
	}
	r.pace = l.w.timeouts.pace()
	switch {
	case r.request.Expect100 || !l.w.buffered:
		return &message{raw: r.raw}, nil // the Python thread asks for the body, or does not
	case r.request.Chunked:
		return r.chunked()
	default:
		return r.measured()
	}
}

// read reads a part of the body, of which got bytes are there. A client that is too slow is given up.
func (r *receiver) read(p []byte, got int64) (int, error) {
	if err := r.f.SetReadDeadline(r.pace.deadline(got)); err != nil {
		return 0, err
	}
	return r.f.Read(p)
}

// more reads once into raw.
func (r *receiver) more(read func([]byte) (int, error)) error {
	if len(r.raw) == cap(r.raw) {
		r.raw = append(r.raw, 0)[:len(r.raw)]
	}
	n, err := read(r.raw[len(r.raw):cap(r.raw)])
	r.raw = r.raw[:len(r.raw)+n]
	if n > 0 {
		return nil
	}
	return err
}

func (r *receiver) head() error {
	r.l.heads.begin(r.f)
	defer r.l.heads.end(r.f)
	seen := 0
	for {
		_, err := r.parser.ParseMore(r.raw, seen, &r.request)
		if !errors.Is(err, http1.ErrIncomplete) {
			return err
		}
		seen = len(r.raw)
		if err := r.more(r.f.Read); err != nil {
			if refusal := late(err); refusal != nil && !r.l.w.draining.Load() {
				return refusal
			}
			return &cutError{fmt.Sprintf("%d bytes of a head (%v)", len(r.raw), err)}
		}
	}
}

// cut says why a body stops after got bytes: the client left, or was too slow.
func (r *receiver) cut(got int64, err error) error {
	if refusal := r.pace.late(got, err); refusal != nil {
		return refusal
	}
	return &cutError{fmt.Sprintf("%s %.200s, %d bytes of the body (%v)", r.request.Method, r.request.Target, got, err)}
}

// measured completes a body with Content-Length.
func (r *receiver) measured() (*message, error) {
	head, length := r.request.HeadLen, r.request.ContentLength
	if length > r.l.w.spooling.threshold {
		return r.spoolMeasured(head, length)
	}
	for int64(len(r.raw)-head) < length {
		got := int64(len(r.raw) - head)
		if err := r.more(func(p []byte) (int, error) { return r.read(p, got) }); err != nil {
			return nil, r.cut(got, err)
		}
	}
	return &message{raw: r.raw}, nil
}

func (r *receiver) spoolMeasured(head int, length int64) (*message, error) {
	s, err := r.l.w.spooling.open()
	if err != nil {
		return nil, err
	}
	body := r.raw[head:]
	rest := []byte(nil)
	if int64(len(body)) > length {
		body, rest = body[:length], body[length:]
	}
	if err := s.write(body); err != nil {
		return nil, err
	}
	buffer := make([]byte, spoolBlock)
	for s.size < length {
		n, err := r.read(buffer[:min(int64(len(buffer)), length-s.size)], s.size)
		if n == 0 {
			s.discard()
			return nil, r.cut(s.size, err)
		}
		if err := s.write(buffer[:n]); err != nil {
			return nil, err
		}
	}
	return s.message(r.raw[:head], rest)
}

// chunked completes a chunked body: in memory while it is small, then in a file, decoded.
func (r *receiver) chunked() (*message, error) {
	decoder := http1.ChunkedDecoder{Limit: r.l.w.limits.Body}
	head := r.request.HeadLen
	used, decoded := head, []byte(nil)
	for {
		out, n, done, err := decoder.Decode(decoded, r.raw[used:])
		if err != nil {
			return nil, err
		}
		decoded, used = out, used+n
		if done {
			return &message{raw: r.raw}, nil
		}
		if int64(len(decoded)) > r.l.w.spooling.threshold {
			return r.spoolChunked(&decoder, decoded)
		}
		got := int64(len(decoded))
		if err := r.more(func(p []byte) (int, error) { return r.read(p, got) }); err != nil {
			return nil, r.cut(got, err)
		}
	}
}

func (r *receiver) spoolChunked(decoder *http1.ChunkedDecoder, decoded []byte) (*message, error) {
	s, err := r.l.w.spooling.open()
	if err != nil {
		return nil, err
	}
	head := append([]byte(nil), r.raw[:r.request.HeadLen]...)
	buffer := make([]byte, spoolBlock)
	for {
		if err := s.write(decoded); err != nil {
			return nil, err
		}
		n, err := r.read(buffer, s.size)
		if n == 0 {
			s.discard()
			if err == nil {
				err = io.ErrUnexpectedEOF
			}
			return nil, r.cut(s.size, err)
		}
		out, used, done, err := decoder.Decode(decoded[:0], buffer[:n])
		if err != nil {
			s.discard()
			return nil, err
		}
		decoded = out
		if !done {
			continue
		}
		if err := s.write(decoded); err != nil {
			return nil, err
		}
		return s.message(head, append([]byte(nil), buffer[used:n]...))
	}
}
