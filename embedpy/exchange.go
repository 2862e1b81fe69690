package embedpy

import (
	"encoding/binary"
	"unsafe"
)

// Flags of a request, the in-side of an Exchange. They mirror embedpy.h.
const (
	FlagHead      = 1  // the method is HEAD
	FlagHTTP11    = 2  // chunked framing and interim responses are understood
	FlagKeepAlive = 4  // another request may follow on the connection
	FlagTimed     = 16 // note FirstByte
	FlagFIN       = 32 // TCP: where no request may follow, the response's last bytes take the connection's end along
	FlagKeepGIL   = 8  // one-thread worker: return with the GIL held
)

// Kinds of request body.
const (
	BodyNone   = 0
	BodyMemory = 1
	BodyFile   = 2
	BodyStream = 3
)

// What became of a request, the out-side of an Exchange.
const (
	OutcomeReuse     = 1  // framed and complete: the connection may carry another request
	OutcomeCommitted = 2  // the head is out: no error page may follow
	OutcomeFailed    = 4  // application error; Message is the text for the log
	OutcomeWarned    = 8  // answered, but Message says what was wrong
	OutcomeGone      = 16 // the client left before the end
	OutcomeTaken     = 32 // the application took the socket over
	// OutcomeCloseFailed: with OutcomeWarned: close() of the body raised; Message ends with its traceback.
	OutcomeCloseFailed = 64
	// OutcomeOffloaded: nothing was sent; Head has the application's status and headers, Offload names a file instead of
	// a body.
	OutcomeOffloaded = 4096
	// OutcomeStalled: with OutcomeGone: the client took nothing of a stream for the timeout of SetOutput.
	OutcomeStalled  = 8192
	OutcomeTimedOut = 128 // RequestTimeout came out of the application; there is no message
)

// Who answers a request: the low ClaimBits of Exchange.Claim. The bits above are the request's serial number.
const (
	ClaimNone = 0 // no request runs
	ClaimOpen = 1 // nothing of the answer has been sent: whoever changes it to one of the others may
	ClaimSent = 2 // the application's answer is under way
	ClaimLost = 3 // the server gave the request up and answered itself
	ClaimBits = 2
)

// Exchange is what passes between a Python thread's Go half and its C half for one request: ph_exchange of embedpy.h,
// field by field. It lives in C memory as long as the process, so it must hold no Go pointer.
//
// Thread: only the Python thread that it belongs to, between two calls.
type Exchange struct {
	Flags       uint32
	FD          int32 // the client's socket
	Listener    int32 // index of the environ template
	BodyKind    int32
	BodyFD      int32 // for BodyFile and BodyStream; owned by Python from the call on
	Entries     uint32
	FrameLength uint32
	BodyLength  uint64         // bytes, for BodyMemory
	Conn        unsafe.Pointer // Python's side of the connection; nil at first, kept by the connection, see DropConn
	Claim       uint64         // who answers: a serial number, and one of the Claim values; atomic operations only
	Deadline    int64          // CLOCK_MONOTONIC ns that the application set; 0: not set, -1: no limit; atomic as well

	Outcome       uint32
	Status        int32  // 0: the application never gave one
	BodyBytes     uint64 // body bytes sent or left in the tail
	head          unsafe.Pointer
	headLength    uint64
	tail          unsafe.Pointer
	tailOffset    uint64
	tailLength    uint64
	message       unsafe.Pointer
	messageLength uint64
	offload       unsafe.Pointer
	offloadLength uint64
	tailFile      int64
	tailFrom      uint64
	tailTo        uint64
	tailRing      uint64
	FirstByte     int64 // with FlagTimed: CLOCK_MONOTONIC ns at which the response began; 0: it never did
	logged        unsafe.Pointer
	loggedLength  uint64
}

// AnyLogged says whether Logged has anything.
func (x *Exchange) AnyLogged() bool { return x.loggedLength > 0 }

// Logged calls yield with each thing that the application said for the access log, in its order, until that returns
// false: kind 'v' is a variable of pyhost.log_var, 'e' one of environ. The slices are valid until the thread's next
// call.
func (x *Exchange) Logged(yield func(kind byte, name, value []byte) bool) {
	const head = 1 + 4 + 4
	rest := unsafe.Slice((*byte)(x.logged), x.loggedLength)
	for len(rest) > 0 {
		name := head + binary.NativeEndian.Uint32(rest[1:])
		end := name + binary.NativeEndian.Uint32(rest[5:])
		if !yield(rest[0], rest[head:name], rest[name:end]) {
			return
		}
		rest = rest[end:]
	}
}

// Head is the response head as sent. It is valid until the thread's next call.
func (x *Exchange) Head() []byte {
	return unsafe.Slice((*byte)(x.head), x.headLength)
}

// Message is the log text of a failed or warned request, usually a traceback.
func (x *Exchange) Message() string {
	return string(unsafe.Slice((*byte)(x.message), x.messageLength))
}

// Offload is the value of X-Sendfile (accel false) or X-Accel-Redirect. For OutcomeOffloaded only; the bytes are valid
// until the thread's next call.
func (x *Exchange) Offload() (value []byte, accel bool) {
	value = unsafe.Slice((*byte)(x.offload), x.offloadLength)
	return value[1:], value[0] == 'a'
}

// Tail is what the client's socket did not take at once: the end of a finished response. Free must be called once its
// bytes are written; until then it outlives the exchange's next request.
type Tail struct {
	memory unsafe.Pointer
	bytes  []byte
	File   Span // behind the bytes
}

// Span is a part of a file: the bytes from From to To. Byte n lies at n modulo Ring, or at n where Ring is 0. To is 0
// if there is no file. The descriptor is the tail's, until Free.
type Span struct {
	FD             int
	From, To, Ring int64
}

// TakeTail hands over the unsent rest of the response, or reports that there is none.
func (x *Exchange) TakeTail() (Tail, bool) {
	if x.tail == nil && x.tailTo == 0 {
		return Tail{}, false
	}
	t := Tail{memory: x.tail}
	if x.tail != nil {
		t.bytes = unsafe.Slice((*byte)(x.tail), x.tailLength)[x.tailOffset:]
	}
	if x.tailTo > 0 {
		t.File = Span{FD: int(x.tailFile), From: int64(x.tailFrom), To: int64(x.tailTo), Ring: int64(x.tailRing)}
	}
	x.tail, x.tailTo = nil, 0
	return t, true
}

// Bytes are the unsent bytes.
func (t Tail) Bytes() []byte { return t.bytes }
