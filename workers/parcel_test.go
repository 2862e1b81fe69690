package workers

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

func fullParcel() parcel {
	return parcel{
		flags: parcelFlags, listener: 3, entries: 2, since: 1 << 62, size: 1 << 40,
		remoteAddr: []byte("2001:db8::1"), remotePort: []byte("65535"), protocol: []byte("HTTP/2"),
		extra: []byte("variables"), raw: bytes.Repeat([]byte("r"), 300), rest: []byte("rest"),
	}
}

func TestParcel(t *testing.T) {
	for name, p := range map[string]parcel{
		"full": fullParcel(), "unread": {remoteAddr: []byte("127.0.0.1")}, "empty": {},
	} {
		var got parcel
		if err := got.parse(p.append([]byte("before ")[:0])); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, text := range got.texts() {
			if len(*text) == 0 {
				*text = nil
			}
		}
		if !reflect.DeepEqual(got, p) {
			t.Errorf("%s: %+v, want %+v", name, got, p)
		}
	}
}

// A packet that was cut anywhere, that has more than belongs there, or another version, is refused.
func TestParcelRefused(t *testing.T) {
	p := fullParcel()
	packet := p.append(nil)
	for n := range packet {
		if err := new(parcel).parse(packet[:n]); !errors.Is(err, errParcel) {
			t.Errorf("%d bytes of %d: %v", n, len(packet), err)
		}
	}
	unknown := parcel{flags: parcelFlags + 1}
	for name, bad := range map[string][]byte{
		"a byte too many": append(bytes.Clone(packet), 0),
		"another version": append([]byte{parcelVersion + 1}, packet[1:]...),
		"an unknown flag": unknown.append(nil),
		"JSON":            []byte(`{"l":0}`),
	} {
		if err := new(parcel).parse(bad); !errors.Is(err, errParcel) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParcelAllocatesNothing(t *testing.T) {
	p, room := fullParcel(), make([]byte, 0, packetRoom)
	var got parcel
	if n := testing.AllocsPerRun(100, func() { _ = got.parse(p.append(room)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever arrives: no panic, nothing beyond the packet, and what was understood says the same again.
func FuzzParcel(f *testing.F) {
	full, unread := fullParcel(), parcel{since: 1, remoteAddr: []byte("127.0.0.1"), remotePort: []byte("80")}
	f.Add(full.append(nil))
	f.Add(unread.append(nil))
	f.Add([]byte{parcelVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, packet []byte) {
		var p, again parcel
		if p.parse(packet) != nil {
			return
		}
		if err := again.parse(p.append(nil)); err != nil || !reflect.DeepEqual(p, again) {
			t.Errorf("%+v, then %+v (%v)", p, again, err)
		}
	})
}
