package proxy

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/protocol/http1"
)

// binaryHeader is a header of version 2.
func binaryHeader(command, family byte, body string) string {
	return string(signature2) + string([]byte{command, family, byte(len(body) >> 8), byte(len(body))}) + body
}

const (
	addresses4 = "\xcb\x00\x71\x07\x0a\x00\x00\x01\x12\x34\x01\xbb"
	addresses6 = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02" + "\x00\x01\x00\x50"
	ssl = "\x20\x00\x05\x01\x00\x00\x00\x00"
)

// checked is a header of version 2 with a CRC32C, xored with spoil.
func checked(spoil byte) string {
	header := []byte(binaryHeader(commandProxy, familyTCP4, addresses4+"\x03\x00\x04\x00\x00\x00\x00"+ssl))
	sum := crc32.Checksum(header, crc32.MakeTable(crc32.Castagnoli))
	binary.BigEndian.PutUint32(header[head2+len(addresses4)+3:], sum)
	header[head2+len(addresses4)+3] ^= spoil
	return string(header)
}

func TestParse(t *testing.T) {
	four := Header{Protocol: "TCP4", Source: netip.MustParseAddrPort("203.0.113.7:4660"),
		Destination: netip.MustParseAddrPort("10.0.0.1:443")}
	six := Header{Protocol: "TCP6", Source: netip.MustParseAddrPort("[2001:db8::1]:1"),
		Destination: netip.MustParseAddrPort("[2001:db8::2]:80")}
	secure := four
	secure.TLS = true
	for _, tt := range []struct {
		name, header string
		want         Header
	}{
		{"version 1, IPv4", "PROXY TCP4 203.0.113.7 10.0.0.1 4660 443\r\n", four},
		{"version 1, IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 1 80\r\n", six},
		{"version 1, unknown", "PROXY UNKNOWN\r\n", Header{Local: true}},
		{"version 1, unknown and more", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", Header{Local: true}},
		{"version 2, IPv4", binaryHeader(commandProxy, familyTCP4, addresses4), four},
		{"version 2, IPv6", binaryHeader(commandProxy, familyTCP6, addresses6), six},
		{"version 2, TLS", binaryHeader(commandProxy, familyTCP4, addresses4+ssl), secure},
		{"version 2, not TLS", binaryHeader(commandProxy, familyTCP4, addresses4+"\x20\x00\x05\x00\x00\x00\x00\x00"), four},
		{"version 2, other TLVs", binaryHeader(commandProxy, familyTCP4, addresses4+"\x02\x00\x01h"+"\xea\x00\x00"), four},
		{"version 2, checksum", checked(0), secure},
		{"version 2, LOCAL", binaryHeader(commandLocal, familyUnspec, ""), Header{Local: true}},
		{"version 2, LOCAL with addresses", binaryHeader(commandLocal, familyTCP4, addresses4), Header{Local: true}},
		{"version 2, unspecified", binaryHeader(commandProxy, familyUnspec, "anything"), Header{Local: true}},
		{"version 2, unix", binaryHeader(commandProxy, familyUnix, strings.Repeat("\x00", 216)), Header{Local: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h Header
			n, err := Parse([]byte(tt.header+"GET /"), Auto, &h)
			if err != nil || n != len(tt.header) || h != tt.want {
				t.Errorf("%+v, %d of %d, %v; want %+v", h, n, len(tt.header), err, tt.want)
			}
			for n := range tt.header {
				if _, err := Parse([]byte(tt.header[:n]), Auto, &h); !errors.Is(err, http1.ErrIncomplete) {
					t.Errorf("the first %d bytes: %v", n, err)
				}
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		mode         Mode
		rule         string
	}{
		{"no TCP", "PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n", V1, "needs TCP4 or TCP6"},
		{"UNKNOWN without a space", "PROXY UNKNOWNX\r\n", V1, "needs TCP4"},
		{"two spaces", "PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n", V1, "needs TCP4"},
		{"one port", "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", V1, "needs TCP4"},
		{"space at the end", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", V1, "needs TCP4"},
		{"IPv6 in TCP4", "PROXY TCP4 ::1 ::2 1 2\r\n", V1, "the source is no address"},
		{"IPv4 in TCP6", "PROXY TCP6 ::1 1.1.1.1 1 2\r\n", V1, "the destination is no address"},
		{"leading zero", "PROXY TCP4 1.1.1.01 2.2.2.2 1 2\r\n", V1, "the source"},
		{"zone", "PROXY TCP6 fe80::1%eth0 ::2 1 2\r\n", V1, "the source"},
		{"port with a sign", "PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n", V1, "the source"},
		{"port with a zero", "PROXY TCP4 1.1.1.1 2.2.2.2 1 02\r\n", V1, "the destination"},
		{"port too large", "PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n", V1, "the source"},
		{"LF alone", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n", V1, "does not end with CRLF"},
		{"endless", "PROXY UNKNOWN " + strings.Repeat("x", 107), V1, "within 107 bytes"},
		{"one byte too long", "PROXY UNKNOWN " + strings.Repeat("x", 92) + "\r\n", V1, "within 107 bytes"},
		{"only version 1", binaryHeader(commandProxy, familyTCP4, addresses4), V1, "version 2, but only version 1"},
		{"only version 2", "PROXY UNKNOWN\r\n", V2, "version 1, but only version 2"},
		{"version 3", binaryHeader(0x31, familyTCP4, addresses4), V2, "version and command 0x31"},
		{"command 2", binaryHeader(0x22, familyTCP4, addresses4), V2, "version and command 0x22"},
		{"datagrams", binaryHeader(commandProxy, 0x12, addresses4), V2, "0x12 are not TCP"},
		{"too short", binaryHeader(commandProxy, familyTCP4, addresses4[:11]), V2, "11 bytes of addresses"},
		{"too long", binaryHeader(commandProxy, familyTCP4, strings.Repeat("x", MaxSize)), V2, "the limit is 4096"},
		{"cut TLV", binaryHeader(commandProxy, familyTCP4, addresses4+"\x02\x00"), V2, "a TLV is cut"},
		{"TLV overruns", binaryHeader(commandProxy, familyTCP4, addresses4+"\x02\x00\x02x"), V2, "overruns the header"},
		{"short SSL", binaryHeader(commandProxy, familyTCP4, addresses4+"\x20\x00\x01\x01"), V2, "it needs 5"},
		{"checksum", checked(1), V2, "the checksum is wrong"},
		{"short checksum", binaryHeader(commandProxy, familyTCP4, addresses4+"\x03\x00\x00"), V2, "the checksum is wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h Header
			_, err := Parse([]byte(tt.header), tt.mode, &h)
			var refusal *http1.Refusal
			if !errors.As(err, &refusal) || refusal.Status != 400 || !strings.Contains(refusal.Rule, tt.rule) {
				t.Errorf("%v, want %s", err, tt.rule)
			}
		})
	}
}

func TestParseNone(t *testing.T) {
	for _, begin := range []string{"GET / HTTP/1.1", "POST", "PUT", "\r\nGET", "PROXYX", "\x16\x03\x01", "PRI *"} {
		if _, err := Parse([]byte(begin), Auto, &Header{}); !errors.Is(err, ErrNone) {
			t.Errorf("%q: %v", begin, err)
		}
	}
}

// FuzzParse holds that Parse ends in one of its three ways, reads no further than the header and decides by it alone.
func FuzzParse(f *testing.F) {
	f.Add([]byte("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte(binaryHeader(commandProxy, familyTCP6, addresses6+ssl)))
	f.Add([]byte(checked(0)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var h Header
		n, err := Parse(raw, Auto, &h)
		var refusal *http1.Refusal
		switch {
		case err == nil:
		case errors.Is(err, http1.ErrIncomplete) && len(raw) < MaxSize, errors.Is(err, ErrNone):
			return
		case errors.As(err, &refusal) && refusal.Status == 400:
			return
		default:
			t.Fatalf("error %v", err)
		}
		if n < len("PROXY UNKNOWN\r\n") || n > len(raw) || n > MaxSize {
			t.Fatalf("%d of %d bytes", n, len(raw))
		}
		is4 := h.Source.Addr().Is4()
		if !h.Local && (!h.Source.IsValid() || !h.Destination.IsValid() || is4 != (h.Protocol == "TCP4")) {
			t.Fatalf("header %+v", h)
		}
		var again Header
		if m, err := Parse(raw[:n], Auto, &again); m != n || err != nil || again != h {
			t.Fatalf("the header alone: %+v, %d, %v", again, m, err)
		}
	})
}
