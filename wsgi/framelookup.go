package wsgi

import "encoding/binary"

// Lookup finds a variable in the frame by its name, in any case; the bytes are valid until the frame is reused. It is
// for logging: it reads the frame entry by entry.
func (f *Frame) Lookup(name string) ([]byte, bool) {
	at := f.Buf
	for range f.Entries {
		key, length := binary.LittleEndian.Uint32(at), int(binary.LittleEndian.Uint32(at[4:]))
		at = at[8:]
		var found bool
		if key&CustomKey != 0 {
			size := int(key &^ CustomKey)
			found = sameName(at[:size], name)
			at = at[size:]
		} else {
			found = sameName([]byte(Keys[key]), name)
		}
		if found {
			return at[:length], true
		}
		at = at[length:]
	}
	return nil, false
}

func sameName(key []byte, name string) bool {
	if len(key) != len(name) {
		return false
	}
	for i, b := range key {
		if lower(b) != lower(name[i]) {
			return false
		}
	}
	return true
}

func lower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b | 0x20
	}
	return b
}
