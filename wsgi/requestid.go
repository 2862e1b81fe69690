package wsgi

import (
	crand "crypto/rand"
	"encoding/hex"
	"math/rand/v2"
	"strings"

	"github.com/pyhost/pyhost/protocol/http1"
)

// maxRequestID is the longest ID that is taken over from a proxy, in bytes.
const maxRequestID = 128

// requestID gives each request an ID in a header: setting request_id_header.
type requestID struct {
	header   string // in lower case
	variable string // what it is in the environ
	names    [2][]byte
	random   *rand.ChaCha8
	made     [32]byte
	current  []byte // the ID of the request at hand
}

func newRequestID(header string) *requestID {
	var seed [32]byte
	crand.Read(seed[:]) // never fails
	r := &requestID{header: strings.ToLower(header), random: rand.NewChaCha8(seed)}
	r.variable = "HTTP_" + strings.ToUpper(strings.ReplaceAll(header, "-", "_"))
	r.names = [2][]byte{[]byte(r.header), []byte(r.variable)}
	return r
}

// inHeaders is apply for the headers of a request.
func (r *requestID) inHeaders(headers []http1.Header, trusted bool) []http1.Header {
	return r.apply(headers, r.names[0], func(name []byte) bool {
		return len(name) == len(r.header) && equalFold(name, r.header)
	}, trusted)
}

// inVars is apply for the variables of a uwsgi packet.
func (r *requestID) inVars(vars []http1.Header, trusted bool) []http1.Header {
	return r.apply(vars, r.names[1], func(name []byte) bool { return string(name) == r.variable }, trusted)
}

// apply returns headers with the ID among them: the one that a trusted peer sent, if it is one, else a new one, 128
// random bits in hexadecimal.
func (r *requestID) apply(headers []http1.Header, name []byte, same func([]byte) bool, trusted bool) []http1.Header {
	kept := headers[:0]
	r.current = nil
	count := 0
	for _, h := range headers {
		if same(h.Name) {
			count++
			r.current = h.Value
			continue
		}
		kept = append(kept, h)
	}
	if count != 1 || !trusted || !validRequestID(r.current) {
		r.make()
	}
	return append(kept, http1.Header{Name: name, Value: r.current})
}

func (r *requestID) make() {
	var bits [16]byte
	r.random.Read(bits[:]) // never fails
	hex.Encode(r.made[:], bits[:])
	r.current = r.made[:]
}

// validRequestID keeps out what would be trouble in a log line or in somebody's database.
func validRequestID(id []byte) bool {
	for _, c := range id {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && !strings.ContainsRune("-_.:/+=@", rune(c)) {
			return false
		}
	}
	return len(id) > 0 && len(id) <= maxRequestID
}

// Identify gives a request that gets no environ its ID, in its headers, as Encode does. Without request_id_header it
// does nothing.
func (e *Encoder) Identify(req *http1.Request, conn *Conn) {
	if e.ids != nil {
		req.Headers = e.ids.inHeaders(req.Headers, conn.Trusted)
	}
}

// RequestID is the ID of the request that was encoded or identified last, valid until the next; nil without
// request_id_header.
func (e *Encoder) RequestID() []byte {
	if e.ids == nil {
		return nil
	}
	return e.ids.current
}
