package logging

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzForging puts what a client can choose into every atom that takes it. The line must then have exactly the fields
// of its format, and the values must come back from it: nothing can be forged and nothing is lost.
func FuzzForging(f *testing.F) {
	for _, seed := range []string{
		"", "plain", `a"b`, `\`, `\"`, "a\r\nb", "\x00\x1b[2J\x7f", "é\xff", `" 200 1 "-" "x`, `\x0a`, "a b", "-",
		"%(h)s", ":",
	} {
		f.Add([]byte(seed), 7)
	}
	const quoted = `"%(m)s" "%(U)s" "%(q)s" "%(H)s" "%(f)s" "%(a)s" "%({x}i)s" "%({x}o)s" "%({x}e)s" "%(u)s" "%(h)s"`
	whole, err := compile(quoted)
	if err != nil {
		f.Fatal(err)
	}
	bare, err := compile(strings.ReplaceAll(strings.Replace(quoted, `"%({x}o)s" `, "", 1), `"`, ""))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value []byte, cut int) {
		r := clientRecord(value)
		text := whole.appendLine(nil, r)
		checkPrintable(t, text)
		got, ok := splitQuoted(text[:len(text)-1])
		if !ok || len(got) != 11 {
			t.Fatalf("%q makes the line %s", value, text)
		}
		for i, field := range got {
			if want := expected(i, value); want != nil && string(field) != string(want) {
				t.Errorf("field %d of %s is %q, want %q", i, text, field, want)
			}
		}
		text = bare.appendLine(nil, r)
		checkPrintable(t, text)
		if n := bytes.Count(text, []byte{' '}); n != 9 {
			t.Errorf("%q makes a bare line of %d fields: %s", value, n+1, text)
		}
		checkCut(t, value, cut)
	})
}

func clientRecord(value []byte) *Record {
	authorization := basic(string(value) + ":password")
	head := append(append([]byte("HTTP/1.1 200 OK\r\nX: "), value...), "\r\n\r\n"...)
	lookup := func(name string) ([]byte, bool) {
		if name == "authorization" {
			return []byte(authorization), true
		}
		return value, true
	}
	return &Record{
		RemoteAddr: value, Method: value, Path: value, Query: value, Protocol: value,
		RequestHeader: lookup, ResponseHead: head, Environ: lookup,
	}
}

// expected is what field i of the quoted format must hold; nil where the value may be cut: by the line end in a
// response header, by the colon in a user.
func expected(i int, value []byte) []byte {
	switch i {
	case 7, 9:
		return nil
	case 0, 1, 3, 10: // a dash when empty
		if len(value) == 0 {
			return []byte("-")
		}
	}
	return append([]byte{}, value...)
}

// checkPrintable: nothing but printable ASCII and the newline at the end.
func checkPrintable(t *testing.T, text []byte) {
	t.Helper()
	for i, c := range text {
		if (c < ' ' || c >= 0x7f) && (c != '\n' || i != len(text)-1) {
			t.Fatalf("byte %#x at %d of %q", c, i, text)
		}
	}
}

// checkCut: a precision cannot cut an escape in two.
func checkCut(t *testing.T, value []byte, cut int) {
	t.Helper()
	escaped := appendEscaped(nil, value, false)
	end := cutEscaped(escaped, cut)
	if end > max(cut, 0) || end > len(escaped) {
		t.Fatalf("%s cut to %d has %d bytes", escaped, cut, end)
	}
	field := append(append([]byte{'"'}, escaped[:end]...), '"')
	if got, ok := splitQuoted(field); !ok || len(got) != 1 || !bytes.HasPrefix(value, got[0]) {
		t.Errorf("%s cut to %d is %s", escaped, cut, field)
	}
}

// splitQuoted reads a line of quoted fields with one space between them, as a reader of the log would.
func splitQuoted(text []byte) (fields [][]byte, ok bool) {
	for {
		if len(text) == 0 || text[0] != '"' {
			return fields, false
		}
		field, i := []byte{}, 1
		for ; i < len(text) && text[i] != '"'; i++ {
			if text[i] != '\\' {
				field = append(field, text[i])
				continue
			}
			if i++; i == len(text) {
				return fields, false
			}
			if text[i] != 'x' {
				field = append(field, text[i])
				continue
			}
			if i+2 >= len(text) {
				return fields, false
			}
			high, low := strings.IndexByte(hexDigits, text[i+1]), strings.IndexByte(hexDigits, text[i+2])
			if high < 0 || low < 0 {
				return fields, false
			}
			field = append(field, byte(high<<4|low))
			i += 2
		}
		if i == len(text) {
			return fields, false
		}
		fields = append(fields, field)
		if text = text[i+1:]; len(text) == 0 {
			return fields, true
		}
		if text[0] != ' ' {
			return fields, false
		}
		text = text[1:]
	}
}
