package http1

import "math"

// chunkState is what a ChunkedDecoder expects next. The grammar is RFC 9112 7.1 and 7.1.1:
//
//	chunk     = chunk-size *( BWS ";" BWS ext-name [ BWS "=" BWS ext-val ] ) CRLF chunk-data CRLF
//	last      = 1*"0" ... CRLF *( field-line CRLF ) CRLF
type chunkState uint8

const (
	chunkSizeFirst  chunkState = iota // the first digit of a size
	chunkSize                         // more digits, or what may follow a size
	chunkExtEnd                       // whitespace after a size or a value: only ";" may follow
	chunkExtStart                     // after ";"
	chunkExtName                      // inside a name
	chunkExtNameEnd                   // whitespace after a name
	chunkValueStart                   // after "="
	chunkValue                        // inside a token
	chunkQuoted                       // inside a quoted string
	chunkQuotedPair                   // after "\" in a quoted string
	chunkQuotedEnd                    // after the closing quote
	chunkSizeLF                       // after the CR of a size line
	chunkData                         // inside the data
	chunkDataCR                       // after the data
	chunkDataLF                       // after the CR that follows the data
	trailerStart                      // at the start of a line of the trailer section
	trailerName                       // inside a field name
	trailerValue                      // inside a field value
	trailerLF                         // after the CR of a field line
	chunkFinalLF                      // after the CR of the last empty line
	chunkDone
)

const (
	// maxChunkLine is how long a size line may be in bytes, with leading zeros and extensions.
	maxChunkLine = 4 << 10
	// maxExtensions is by how many bytes the extensions of a body, and the zeros before its chunk sizes, may exceed its
	// data.
	maxExtensions = 16 << 10
	// maxChunkDigits is how many digits a chunk size has that does not begin with a zero.
	maxChunkDigits = 16
	// maxTrailers is how long the trailer section may be in bytes.
	maxTrailers = 16 << 10
)

var (
	errChunkSize   = refusal(400, "chunk size is not a hexadecimal number and CRLF")
	errChunkLarge  = refusal(400, "chunk size is larger than any body can be")
	errChunkExt    = refusal(400, "chunk extension is not ;name=value")
	errChunkLine   = refusal(400, "chunk size line or extensions too long")
	errChunkEnd    = refusal(400, "chunk data not followed by CRLF")
	errTrailer     = refusal(400, "trailer field is not a correct field line")
	errTrailerLong = refusal(431, "trailer section too long")
)

// step moves on by one byte that is not data.
func (d *ChunkedDecoder) step(c byte) error {
	switch {
	case d.state <= chunkSize:
		return d.stepSize(c)
	case d.state < chunkSizeLF:
		return d.stepExtension(c)
	case d.state >= trailerStart:
		return d.stepTrailer(c)
	}
	switch {
	case d.state == chunkSizeLF && c == '\n' && d.left == 0:
		d.state = trailerStart
	case d.state == chunkSizeLF && c == '\n' && d.Limit > 0 && d.left > d.Limit-d.body:
		return errBodyTooLarge
	case d.state == chunkSizeLF && c == '\n':
		d.state = chunkData
	case d.state == chunkSizeLF:
		return errChunkSize
	case d.state == chunkDataCR && c == '\r':
		d.state = chunkDataLF
	case d.state == chunkDataLF && c == '\n':
		d.state, d.line = chunkSizeFirst, 0
	default:
		return errChunkEnd
	}
	return nil
}

// stepSize reads chunk-size: at least one digit, no sign, no prefix, no overflow.
func (d *ChunkedDecoder) stepSize(c byte) error {
	if class[c]&classHex == 0 {
		if d.state == chunkSizeFirst {
			return errChunkSize
		}
		return d.afterItem(c, errChunkSize)
	}
	if d.left > math.MaxInt64>>4 {
		return errChunkLarge
	}
	if d.line++; d.line > maxChunkDigits {
		d.extra++
	}
	if d.line > maxChunkLine || d.extra > maxExtensions+d.body {
		return errChunkLine
	}
	digit := c - '0'
	if digit > 9 {
		digit = c | 0x20 - 'a' + 10
	}
	d.left = d.left<<4 | int64(digit)
	d.state = chunkSize
	return nil
}

// afterItem handles what may follow a complete size or extension: the end of the line, another extension, or
// whitespace before one.
func (d *ChunkedDecoder) afterItem(c byte, wrong error) error {
	switch c {
	case '\r':
		d.state = chunkSizeLF
	case ';':
		d.state = chunkExtStart
	case ' ', '\t':
		d.state = chunkExtEnd
	default:
		return wrong
	}
	return nil
}

// stepExtension checks the grammar of extensions, so that no CR or LF inside one ends the line for somebody else
// only.
func (d *ChunkedDecoder) stepExtension(c byte) error {
	d.line++
	d.extra++
	if d.line > maxChunkLine || d.extra > maxExtensions+d.body {
		return errChunkLine
	}
	space := c == ' ' || c == '\t'
	betweenItems := d.state == chunkExtStart || d.state == chunkExtEnd || d.state == chunkExtNameEnd ||
		d.state == chunkValueStart
	token := class[c]&classToken != 0
	switch {
	case d.state == chunkExtName && token, d.state == chunkValue && token:
	case d.state == chunkQuoted && class[c]&classQuoted != 0:
	case betweenItems && space:
	case d.state == chunkExtEnd && c == ';':
		d.state = chunkExtStart
	case d.state == chunkExtStart && token:
		d.state = chunkExtName
	case d.state == chunkExtName && space:
		d.state = chunkExtNameEnd
	case (d.state == chunkExtName || d.state == chunkExtNameEnd) && c == '=':
		d.state = chunkValueStart
	case d.state == chunkExtNameEnd && c == ';':
		d.state = chunkExtStart
	case d.state == chunkValueStart && token:
		d.state = chunkValue
	case d.state == chunkValueStart && c == '"':
		d.state = chunkQuoted
	case d.state == chunkQuoted && c == '\\':
		d.state = chunkQuotedPair
	case d.state == chunkQuotedPair && class[c]&classValue != 0:
		d.state = chunkQuoted
	case d.state == chunkQuoted && c == '"':
		d.state = chunkQuotedEnd
	case d.state == chunkExtName, d.state == chunkValue, d.state == chunkQuotedEnd:
		return d.afterItem(c, errChunkExt)
	default:
		return errChunkExt
	}
	return nil
}

// stepTrailer checks the trailer section (RFC 9112 7.1.2) and the last CRLF.
func (d *ChunkedDecoder) stepTrailer(c byte) error {
	if d.trailers++; d.trailers > maxTrailers {
		return errTrailerLong
	}
	switch {
	case d.state == trailerName && class[c]&classToken != 0, d.state == trailerValue && class[c]&classValue != 0:
	case d.state == trailerStart && c == '\r':
		d.state = chunkFinalLF
	case d.state == trailerStart && class[c]&classToken != 0:
		d.state = trailerName
	case d.state == trailerName && c == ':':
		d.state = trailerValue
	case d.state == trailerValue && c == '\r':
		d.state = trailerLF
	case d.state == trailerLF && c == '\n':
		d.state = trailerStart
	case d.state == chunkFinalLF && c == '\n':
		d.state = chunkDone
	default:
		return errTrailer
	}
	return nil
}
