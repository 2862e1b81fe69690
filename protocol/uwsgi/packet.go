package uwsgi

import "github.com/pyhost/pyhost/protocol/http1"

// MaxSize is the largest block of variables in bytes that the 16 bits of a packet's size can tell.
const MaxSize = 1<<16 - 1

// headerSize is the length of what precedes the variables.
const headerSize = 4

// maxVars bounds the work that one packet makes; gunicorn's number.
const maxVars = 1000

// Values of modifier1: what the packet asks for.
const (
	modifierRequest = 0   // run the application
	modifierManaged = 30  // the same; the server takes SCRIPT_NAME off PATH_INFO
	modifierPing    = 100 // answer with an empty packet
)

// Packet is one parsed packet. Its slices point into the buffer given to Parse, or into the Packet itself, and are
// valid until either is used again.
type Packet struct {
	// Vars are the variables in the order of the packet; names are not empty and printable.
	Vars []http1.Header
	// Managed: PATH_INFO begins with SCRIPT_NAME, which the server has to take off (modifier1 30).
	Managed bool
	// Ping: the packet asks whether somebody is there; Pong is the answer. There is no request then.
	Ping bool
	// Request describes the request in HTTP's terms: the method, target, path and query; the variables HTTP_* as
	// headers in lower case; ContentLength, 0 without one. Minor is 0 and KeepAlive false: the end of the connection is
	// the end of the response. Path is the path of the target, not PATH_INFO.
	Request http1.Request

	names []byte // of Request.Headers
}

// Pong is the answer to a ping: an empty packet (plugins/ping of uWSGI).
var Pong = []byte{modifierPing, 0, 0, 1}
