package http1

import "slices"

// ChunkedDecoder decodes a chunked body (RFC 9112 7.1) that arrives in pieces. The zero value is ready to use;
// assign ChunkedDecoder{} to use it again. Not safe for concurrent use.
//
// Chunk extensions are checked and skipped. Trailer fields are checked and thrown away: merged into the header
// section they would let a client add what a proxy in front removes (RFC 9110 6.5.1).
type ChunkedDecoder struct {
	// Limit is the largest body in bytes; 0 = no limit. A larger one is refused when its chunk is announced.
	Limit int64

	state    chunkState
	left     int64 // bytes of the chunk that are still to come; while the size is read, its value so far
	line     int   // bytes of the size line so far
	body     int64 // bytes of data so far
	extra    int64 // bytes of extensions and superfluous zeros so far
	trailers int   // bytes of the trailer section so far
	err      error // the refusal, once there was one
}

// Decode appends the body bytes found in src to dst and returns how many bytes of src it used. All of src is used
// unless the body ends in it (done) or the error is a *Refusal, which is permanent.
func (d *ChunkedDecoder) Decode(dst, src []byte) (out []byte, n int, done bool, err error) {
	for n < len(src) && d.state != chunkDone {
		data, used, err := d.next(src[n:], len(src))
		n += used
		if err != nil {
			return dst, n, false, err
		}
		dst = append(dst, data...)
	}
	return dst, n, d.state == chunkDone, d.err
}

// DecodeChunked decodes a chunked body of at most limit bytes (0 = no limit) that lies whole at the beginning of src,
// appends it to dst and returns the number of bytes of src that the body took. The error is ErrIncomplete or a
// *Refusal; n is 0 and nothing appended then.
func DecodeChunked(dst, src []byte, limit int64) (out []byte, n int, err error) {
	d := ChunkedDecoder{Limit: limit}
	out, n, done, err := d.Decode(slices.Grow(dst, len(src)), src)
	if err == nil && !done {
		err = ErrIncomplete
	}
	if err != nil {
		return dst, 0, err
	}
	return out, n, nil
}

// next skips framing in src up to the next data, and returns at most limit bytes of that, which lie in src, and how
// many bytes of src it used. Without data and error, the body has ended or all of src was used.
func (d *ChunkedDecoder) next(src []byte, limit int) (data []byte, n int, err error) {
	if d.err != nil {
		return nil, 0, d.err
	}
	for n < len(src) && d.state != chunkDone {
		if d.state == chunkData {
			take := int(min(d.left, int64(min(limit, len(src)-n))))
			d.left -= int64(take)
			d.body += int64(take)
			if d.left == 0 {
				d.state = chunkDataCR
			}
			return src[n : n+take], n + take, nil
		}
		if d.err = d.step(src[n]); d.err != nil {
			return nil, n, d.err
		}
		n++
	}
	return nil, n, nil
}
