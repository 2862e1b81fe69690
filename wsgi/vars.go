package wsgi

import (
	"bytes"

	"github.com/pyhost/pyhost/protocol/http1"
	"github.com/pyhost/pyhost/protocol/uwsgi"
)

// keyNumbers finds Keys.
var keyNumbers = func() map[string]uint32 {
	numbers := map[string]uint32{}
	for i, name := range Keys {
		numbers[name] = uint32(i)
	}
	return numbers
}()

// special are the variables of a uwsgi packet that decide about others.
type special struct {
	path, script           []byte // PATH_INFO and SCRIPT_NAME; nil = absent
	scheme                 []byte // UWSGI_SCHEME; nil = absent
	https                  bool   // HTTPS says so
	protocol, addr, target bool   // the packet has SERVER_PROTOCOL, REMOTE_ADDR, REQUEST_URI
	query                  bool
}

// EncodeVars is Encode for a request that came as a uwsgi packet: its variables are those of the environ already.
//
// What would change the server instead of describing the request is left out (UWSGI_*, and names with a dot, which are
// the server's own: wsgi.input); of two variables with the same name the last one counts, as in uWSGI, but headers are
// joined as everywhere. The scheme is https if the packet says HTTPS=on or UWSGI_SCHEME=https.
func (e *Encoder) EncodeVars(frame *Frame, packet *uwsgi.Packet, conn *Conn) error {
	frame.Buf, frame.Entries = frame.Buf[:0], 0
	if e.ids != nil {
		packet.Vars = e.ids.inVars(packet.Vars, conn.Trusted)
	}
	facts := e.fields.sortVars(packet.Vars)
	e.fields.write(frame, packet.Vars)
	if !facts.target {
		frame.put(keyRawURI, facts.path)
		frame.put(keyRequestURI, facts.path)
	} else {
		frame.put(keyRawURI, packet.Request.Target)
	}
	if !facts.query {
		frame.put(keyQueryString, nil)
	}
	if !facts.protocol {
		frame.put(keyServerProtocol, protocols[0])
	}
	if !facts.addr {
		frame.put(keyRemoteAddr, conn.RemoteAddr)
	}
	path := facts.path
	if path == nil {
		e.mount.path = unquote(e.mount.path[:0], packet.Request.Path)
		path = e.mount.path
	}
	if err := e.mount.writeDecoded(frame, path, facts.script, packet.Managed); err != nil {
		return err
	}
	secure := conn.TLS || string(facts.scheme) == "https" || facts.scheme == nil && facts.https
	if conn.Trusted && len(e.schemes) > 0 {
		forwarded, err := e.forwardedScheme(packet.Request.Headers)
		if err != nil {
			return err
		}
		secure = secure || forwarded
	}
	if secure {
		frame.put(keyURLScheme, https)
	}
	if conn.extra.Entries > 0 {
		frame.join(&conn.extra)
	}
	return nil
}

// sortVars fills lines from the variables of a packet.
func (f *fields) sortVars(vars []http1.Header) (facts special) {
	if cap(f.lines) < len(vars) {
		f.lines = make([]fieldLine, len(vars)+len(vars)/2)
	}
	f.lines, f.names = f.lines[:len(vars)], f.names[:0]
	clear(f.first)
	f.index.reset(len(vars))
	for i := range vars {
		name, line := vars[i].Name, &f.lines[i]
		*line = fieldLine{}
		key, known := keyNumbers[string(name)]
		switch {
		case facts.note(key, known, name, vars[i].Value), !forEnviron(name):
			line.skip = true
			continue
		case known:
			line.key = key
			f.linkVar(&f.first[key], int32(i), name)
		default:
			line.start, line.key = int32(len(f.names)), CustomKey|uint32(len(name))
			f.names = append(f.names, name...)
			f.linkVar(f.index.find(f, line), int32(i), name)
		}
	}
	return facts
}

// note looks at one variable and reports whether it is written elsewhere, or not at all.
func (s *special) note(key uint32, known bool, name, value []byte) (handled bool) {
	if !known {
		switch string(name) {
		case "UWSGI_SCHEME":
			s.scheme = value
		case "HTTPS":
			s.https = string(value) == "on" || string(value) == "1"
		}
		return false
	}
	switch key {
	case keyPathInfo:
		s.path = value
	case keyScriptName:
		s.script = value
	case keyURLScheme, keyRawURI:
	case keyContentType, keyContentLength: // nginx sends them empty; gunicorn has them absent
		return len(value) == 0
	default:
		s.target = s.target || key == keyRequestURI
		s.query = s.query || key == keyQueryString
		s.protocol = s.protocol || key == keyServerProtocol
		s.addr = s.addr || key == keyRemoteAddr
		return false
	}
	return true
}

// forEnviron says whether a variable of a packet describes the request. UWSGI_ are orders to uWSGI: UWSGI_FILE names a
// program to run. A name with a dot is the server's (wsgi.input), and HTTP_CONTENT_* would contradict CONTENT_* (RFC
// 3875 4.1.18).
func forEnviron(name []byte) bool {
	if bytes.HasPrefix(name, []byte("HTTP_")) {
		return string(name) != "HTTP_CONTENT_TYPE" && string(name) != "HTTP_CONTENT_LENGTH"
	}
	return bytes.IndexByte(name, '.') < 0 && !bytes.HasPrefix(name, []byte("UWSGI_"))
}

// linkVar is link for variables: those that are no headers replace one another, and HTTP_HOST does.
func (f *fields) linkVar(first *int32, i int32, name []byte) {
	if *first != 0 && (!bytes.HasPrefix(name, []byte("HTTP_")) || string(name) == "HTTP_HOST") {
		f.lines[*first-1].skip = true
		*first = 0
	}
	f.link(first, i)
}
