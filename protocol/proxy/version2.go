package proxy

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"

	"github.com/pyhost/pyhost/protocol/http1"
)

var signature2 = []byte("\r\n\r\n\x00\r\nQUIT\n")

// head2 is the length of the fixed part of version 2: signature, version and command, family, length (section 2.2).
const head2 = 16

// What the two bytes behind the signature say.
const (
	commandLocal = 0x20
	commandProxy = 0x21
	familyUnspec = 0x00
	familyTCP4   = 0x11
	familyTCP6   = 0x21
	familyUnix   = 0x31
)

// TLVs that are looked at; others are skipped (section 2.2.1 and following).
const (
	typeCRC32C = 0x03
	typeSSL    = 0x20

	clientSSL = 0x01 // PP2_CLIENT_SSL, a bit of typeSSL's first byte
)

// parse2 reads the binary header. Families other than TCP over IP are a peer on a unix socket, of which there is no
// address to tell, or datagrams, which make no HTTP connection.
func parse2(buf []byte, h *Header) (n int, err error) {
	if len(buf) < head2 {
		return 0, http1.ErrIncomplete
	}
	command, family := buf[12], buf[13]
	size := int(binary.BigEndian.Uint16(buf[14:]))
	n = head2 + size
	switch {
	case command != commandLocal && command != commandProxy:
		return 0, refuse("version and command 0x%02x are unknown", command)
	case n > MaxSize:
		return 0, refuse("%d bytes, the limit is %d", n, MaxSize)
	case len(buf) < n:
		return 0, http1.ErrIncomplete
	case command == commandLocal: // "the receiver must accept this connection and ignore the address block"
		h.Local = true
		return n, nil
	}
	body := buf[head2:n]
	addresses := 0
	switch family {
	case familyUnspec:
		h.Local = true
		return n, nil
	case familyTCP4:
		addresses = 2*4 + 2*2
	case familyTCP6:
		addresses = 2*16 + 2*2
	case familyUnix:
		addresses = 2 * 108
	default:
		return 0, refuse("address family and protocol 0x%02x are not TCP", family)
	}
	if size < addresses {
		return 0, refuse("%d bytes of addresses, family 0x%02x needs %d", size, family, addresses)
	}
	if family == familyUnix {
		h.Local = true
	} else {
		h.addresses2(body[:addresses])
	}
	return n, h.extensions(buf[:n], head2+addresses)
}

// addresses2 reads source address, destination address, source port, destination port.
func (h *Header) addresses2(b []byte) {
	size := (len(b) - 4) / 2
	h.Protocol = "TCP4"
	if size == 16 {
		h.Protocol = "TCP6"
	}
	source, _ := netip.AddrFromSlice(b[:size])
	destination, _ := netip.AddrFromSlice(b[size : 2*size])
	h.Source = netip.AddrPortFrom(source, binary.BigEndian.Uint16(b[2*size:]))
	h.Destination = netip.AddrPortFrom(destination, binary.BigEndian.Uint16(b[2*size+2:]))
}

// extensions reads the TLVs of header, which begin at at.
func (h *Header) extensions(header []byte, at int) error {
	for at < len(header) {
		if at+3 > len(header) {
			return refuse("a TLV is cut")
		}
		kind, size := header[at], int(binary.BigEndian.Uint16(header[at+1:]))
		at += 3
		if at+size > len(header) {
			return refuse("TLV 0x%02x of %d bytes overruns the header", kind, size)
		}
		value := header[at : at+size]
		switch kind {
		case typeSSL:
			if size < 5 {
				return refuse("TLV 0x20 (SSL) has %d bytes, it needs 5", size)
			}
			h.TLS = value[0]&clientSSL != 0
		case typeCRC32C:
			if !validChecksum(header, at, value) {
				return refuse("the checksum is wrong")
			}
		}
		at += size
	}
	return nil
}

// validChecksum: section 2.2.3, "if the checksum is provided ... the receiver must verify it". It is that of the header
// with zeros in its place.
func validChecksum(header []byte, at int, value []byte) bool {
	if len(value) != 4 {
		return false
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(0, table, header[:at])
	sum = crc32.Update(sum, table, make([]byte, 4))
	sum = crc32.Update(sum, table, header[at+4:])
	return sum == binary.BigEndian.Uint32(value)
}
