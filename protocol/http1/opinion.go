package http1

import (
	"bufio"
	"bytes"
	"errors"

	"github.com/valyala/fasthttp"
)

// agreedMax is the longest head in bytes that is remembered.
const agreedMax = 4 << 10

// keptOpinion is the longest head in bytes for which an opinion's buffers are kept; longer heads are too rare for
// that.
const keptOpinion = 64 << 10

// opinion is fasthttp's parser with the buffers that it reads from. It gets a copy of the head, since it may write
// to it.
type opinion struct {
	header fasthttp.RequestHeader
	source bytes.Reader
	reader *bufio.Reader

	agreed []byte // the last head about which both were of one mind
}

func newOpinion(size int) *opinion {
	o := &opinion{reader: bufio.NewReaderSize(nil, size)}
	o.header.DisableNormalizing()
	return o
}

// secondOpinion has fasthttp parse a head that this package accepted. Two parsers that agree about where a message
// begins and ends, and whom it addresses, leave little room for a request that a proxy in front reads differently.
//
// Both see nothing but the head: what they agreed upon the last time, as clients do that poll, need not be asked again.
func (p *Parser) secondOpinion(head []byte, req *Request) error {
	o := p.opinion
	if bytes.Equal(head, o.agreed) && !p.mended {
		return nil
	}
	if len(head) > o.reader.Size() {
		o = newOpinion(2 * len(head))
		if len(head) <= keptOpinion {
			p.opinion = o
		}
	}
	o.source.Reset(head)
	o.reader.Reset(&o.source)
	if err := o.header.Read(o.reader); errors.Is(err, fasthttp.ErrBadTrailer) {
		return errTrailerName
	} else if err != nil || o.reader.Buffered() > 0 {
		return errSecond
	}
	h := &o.header
	if !bytes.Equal(h.Method(), req.Method) || !bytes.Equal(h.RequestURI(), req.Target) ||
		!bytes.Equal(h.Host(), p.framing.host) || h.IsHTTP11() != (req.Minor == 1) ||
		h.ContentLength() != fasthttpLength(req) {
		return errSecond
	}
	if len(head) <= agreedMax && !p.mended {
		o.agreed = append(o.agreed[:0], head...)
	}
	return nil
}

// fasthttpLength is the body length as fasthttp writes it: -1 = chunked, -2 = none declared.
func fasthttpLength(req *Request) int {
	switch {
	case req.Chunked:
		return -1
	case req.ContentLength < 0:
		return -2
	}
	return int(req.ContentLength)
}
