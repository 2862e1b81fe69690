package wsgi

// lookupSize is the number of slots of the table, a power of two and several times the number of names.
const lookupSize = 1024

// knownName is a header name in lower case and the key it becomes.
type knownName struct {
	name string
	key  uint32
}

// lookupTable finds header names by length and three of their characters; the next slots hold the names that
// collide.
var lookupTable = makeLookupTable()

func makeLookupTable() *[lookupSize]knownName {
	table := new([lookupSize]knownName)
	insert := func(name string, key uint32) {
		slot := lookupSlot([]byte(name))
		for table[slot].name != "" {
			slot = (slot + 1) % lookupSize
		}
		table[slot] = knownName{name, key}
	}
	insert("content-type", keyContentType) // CONTENT_TYPE, never HTTP_CONTENT_TYPE (RFC 3875 4.1.18)
	insert("content-length", keyContentLength)
	insert("host", keyHTTPHost)
	insert("cookie", keyHTTPCookie)
	for i, name := range otherHeaders {
		insert(name, keyOtherHeaders+uint32(i))
	}
	return table
}

// lookupSlot returns the slot where the search for name starts. The name's case does not matter.
func lookupSlot(name []byte) uint32 {
	n := len(name)
	const fold = 0x20
	return (uint32(n)*17 + uint32(name[0]|fold)*5 + uint32(name[n/2]|fold)*67 + uint32(name[n-1]|fold)*303) % lookupSize
}

// lookup returns the key of a header name, which is a token and not empty. Setting bit 5 of a token's character
// makes nothing but a letter into that letter, and leaves digits and "-" alone; "_" matches nothing.
func lookup(name []byte) (key uint32, known bool) {
	for slot := lookupSlot(name); ; slot = (slot + 1) % lookupSize {
		entry := &lookupTable[slot]
		if len(entry.name) == len(name) && equalFold(name, entry.name) {
			return entry.key, true
		}
		if entry.name == "" {
			return 0, false
		}
	}
}

// equalFold compares a token with a name in lower case of the same length.
func equalFold(token []byte, lower string) bool {
	for i, c := range token {
		if c|0x20 != lower[i] {
			return false
		}
	}
	return true
}
