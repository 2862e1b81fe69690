package workers

import (
	"encoding/binary"
	"errors"
)

// parcelVersion is the first byte of a packet. Both ends are of one generation and so of one binary: what has another
// comes from somebody who does not belong here.
const parcelVersion = 1

// Flags of a parcel.
const (
	parcelUnix = 1 << iota
	parcelTLS
	parcelTrusted
	parcelPackets
	parcelAnswered
	parcelSpooled
	parcelProtocol // SERVER_PROTOCOL is not that of the request's bytes
	parcelFlags    = 1<<iota - 1
)

// parcel is what travels with a connection's descriptor: numbers as varints, texts behind their lengths. A second
// descriptor is the spooled body, or else raw, if that is too long for a packet.
type parcel struct {
	flags      uint64
	listener   uint64
	entries    uint64 // in extra
	since      uint64 // of message
	size       uint64 // of a spooled body
	remoteAddr []byte
	remotePort []byte
	protocol   []byte
	extra      []byte // wsgi.Conn.Extra
	raw        []byte // of message
	rest       []byte // of message
}

var errParcel = errors.New("its packet is not one of this server's")

func (p *parcel) numbers() [5]*uint64 {
	return [...]*uint64{&p.flags, &p.listener, &p.entries, &p.since, &p.size}
}

func (p *parcel) texts() [6]*[]byte {
	return [...]*[]byte{&p.remoteAddr, &p.remotePort, &p.protocol, &p.extra, &p.raw, &p.rest}
}

// append appends the packet to b.
func (p *parcel) append(b []byte) []byte {
	b = append(b, parcelVersion)
	for _, number := range p.numbers() {
		b = binary.AppendUvarint(b, *number)
	}
	for _, text := range p.texts() {
		b = binary.AppendUvarint(b, uint64(len(*text)))
		b = append(b, *text...)
	}
	return b
}

// parse reads a packet; the texts lie in it.
func (p *parcel) parse(packet []byte) error {
	if len(packet) == 0 || packet[0] != parcelVersion {
		return errParcel
	}
	packet = packet[1:]
	for _, number := range p.numbers() {
		value, n := binary.Uvarint(packet)
		if n <= 0 {
			return errParcel
		}
		*number, packet = value, packet[n:]
	}
	for _, text := range p.texts() {
		length, n := binary.Uvarint(packet)
		if n <= 0 || length > uint64(len(packet)-n) {
			return errParcel
		}
		end := n + int(length)
		*text, packet = packet[n:end:end], packet[end:]
	}
	if len(packet) > 0 || p.flags > parcelFlags {
		return errParcel
	}
	return nil
}

func (p *parcel) set(flag uint64, on bool) {
	if on {
		p.flags |= flag
	}
}

func (p *parcel) has(flag uint64) bool { return p.flags&flag != 0 }
