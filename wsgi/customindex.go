package wsgi

import (
	"bytes"
	"hash/maphash"
)

// customIndex finds the first line of a custom key: a hash table with open addressing that is kept from request to
// request. Its seed is random, so that a client cannot choose names that collide.
type customIndex struct {
	seed  maphash.Seed
	slots []int32 // 1 + the index of a line; 0 = free
	used  bool
}

// reset empties the table and makes room for a number of lines.
func (x *customIndex) reset(lines int) {
	if x.used {
		clear(x.slots)
		x.used = false
	}
	if len(x.slots) < 2*lines {
		size := 64
		for size < 2*lines {
			size *= 2
		}
		x.slots = make([]int32, size)
	}
}

// find returns the slot of line's custom key: it says the first line of that name, or is free.
func (x *customIndex) find(f *fields, line *fieldLine) *int32 {
	x.used = true
	name := f.name(line)
	mask := uint64(len(x.slots) - 1)
	for at := maphash.Bytes(x.seed, name) & mask; ; at = (at + 1) & mask {
		slot := &x.slots[at]
		if *slot == 0 || bytes.Equal(f.name(&f.lines[*slot-1]), name) {
			return slot
		}
	}
}
