package wsgi

import (
	"bytes"

	"github.com/pyhost/pyhost/protocol/http1"
)

var errMount = &http1.Refusal{Status: 500, Rule: "configuration problem: the path does not start with SCRIPT_NAME"}

// mount splits a path into SCRIPT_NAME, where the application is mounted, and PATH_INFO, the rest (PEP 3333,
// "environ Variables").
type mount struct {
	name    []byte // the default SCRIPT_NAME
	decoded []byte // the same with its percent-encoding removed, as paths are compared
	script  []byte // scratch: a SCRIPT_NAME header, decoded
	path    []byte // scratch: the path, decoded
}

func newMount(name string) mount {
	return mount{name: []byte(name), decoded: unquote(nil, []byte(name))}
}

// write writes PATH_INFO, and SCRIPT_NAME if it is not the default. script is a trusted peer's SCRIPT_NAME header,
// nil if there is none.
//
// Like gunicorn it answers 500 when the path is not below SCRIPT_NAME: the proxy in front sends what was not meant
// to arrive here. Unlike gunicorn "/shop" is not taken for a prefix of "/shopping".
func (m *mount) write(frame *Frame, path, script []byte) error {
	prefix := m.decoded
	if script != nil && !bytes.Equal(script, m.name) {
		m.script = unquote(m.script[:0], script)
		prefix = m.script
		frame.put(keyScriptName, script)
	}
	if bytes.IndexByte(path, '%') >= 0 {
		m.path = unquote(m.path[:0], path)
		path = m.path
	}
	// "OPTIONS *" asks about the server, not about a path (RFC 9112 3.2.4).
	if len(prefix) > 0 && string(path) != "*" {
		rest, found := bytes.CutPrefix(path, prefix)
		if !found || len(rest) > 0 && rest[0] != '/' && prefix[len(prefix)-1] != '/' {
			return errMount
		}
		path = rest
	}
	frame.put(keyPathInfo, path)
	return nil
}

// writeDecoded is write for a path that is decoded already and a SCRIPT_NAME that the proxy has set, nil if it has not.
// Then only managed takes it off the path (modifier1 30 of the uwsgi protocol): otherwise the proxy has done so.
func (m *mount) writeDecoded(frame *Frame, path, script []byte, managed bool) error {
	prefix := m.decoded
	if script != nil {
		frame.put(keyScriptName, script)
		prefix = nil
		if managed {
			prefix = bytes.TrimRight(script, "/")
		}
	}
	if len(prefix) > 0 && string(path) != "*" {
		rest, found := bytes.CutPrefix(path, prefix)
		if !found || len(rest) > 0 && rest[0] != '/' {
			return errMount
		}
		path = rest
	}
	frame.put(keyPathInfo, path)
	return nil
}

// unquote appends path to dst with each %XX replaced by its byte, in one pass: what comes out is not decoded again,
// "//" and "/../" stay, and a "%" without two hexadecimal digits stays too.
func unquote(dst, path []byte) []byte {
	for {
		n := bytes.IndexByte(path, '%')
		if n < 0 {
			return append(dst, path...)
		}
		dst = append(dst, path[:n]...)
		if n+2 < len(path) && unhex[path[n+1]] < 16 && unhex[path[n+2]] < 16 {
			dst = append(dst, unhex[path[n+1]]<<4|unhex[path[n+2]])
			path = path[n+3:]
			continue
		}
		dst = append(dst, '%')
		path = path[n+1:]
	}
}

// unhex is the value of a hexadecimal digit, 255 of anything else.
var unhex = func() (table [256]byte) {
	for c := range table {
		table[c] = 255
	}
	for i := range 10 {
		table['0'+i] = byte(i)
	}
	for i := range 6 {
		table['a'+i], table['A'+i] = byte(10+i), byte(10+i)
	}
	return table
}()
