package wsgi

import "encoding/binary"

// CustomKey is the bit of an entry's key that says: the low 31 bits are the length of a key whose bytes precede the
// value.
const CustomKey = 1 << 31

// Frame is the environ of one request as flat bytes, entry after entry:
//
//	u32 key, u32 length of the value, [bytes of a custom key], bytes of the value
//
// All numbers are little-endian. key is an index into Keys, or CustomKey | length. No key occurs twice. Bytes are
// latin-1 (PEP 3333, "Unicode Issues"). A Frame is reused: Encode overwrites it and keeps its capacity.
type Frame struct {
	Buf     []byte
	Entries int
}

// begin appends an entry up to its value, of which size bytes must follow.
func (f *Frame) begin(key uint32, size int) {
	f.Buf = binary.LittleEndian.AppendUint64(f.Buf, uint64(key)|uint64(size)<<32)
	f.Entries++
}

// put appends an entry.
func (f *Frame) put(key uint32, value []byte) {
	f.begin(key, len(value))
	f.Buf = append(f.Buf, value...)
}

// join appends the entries of another frame.
func (f *Frame) join(other *Frame) {
	f.Buf = append(f.Buf, other.Buf...)
	f.Entries += other.Entries
}
