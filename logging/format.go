package logging

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// DefaultAccessFormat is the default of gunicorn's access_log_format, the combined log format.
const DefaultAccessFormat = `%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"`

// presets are formats with names.
var presets = map[string]string{
	"common":   `%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s`,
	"combined": DefaultAccessFormat,
}

// formatter is a compiled access_log_format with what it keeps from line to line. Not safe for concurrent use.
type formatter struct {
	fields []field
	tail   string // literal text behind the last field
	json   bool   // an object for each line, in place of fields

	zone       *time.Location
	pid        int
	second     int64 // whose text is secondText
	secondText []byte
	scratch    []byte
}

// field is one %(atom)s and the literal text before it.
type field struct {
	literal string
	atom    atom
	name    string // of the header or variable that the atom looks up, in lower case
	bare    bool   // stands outside of double quotes
	padding padding
}

// CheckFormat says what is wrong with an access_log_format, if anything is.
func CheckFormat(format string) error {
	if format == "" {
		return nil
	}
	_, err := compile(format)
	return err
}

// compile reads a format: gunicorn's, which is Python's printf format with a dictionary. The errors name what is
// wrong and what is valid.
func compile(format string) (*formatter, error) {
	f := &formatter{zone: time.Local, pid: os.Getpid(), json: format == "json"}
	if f.json {
		return f, nil
	}
	if preset, ok := presets[format]; ok {
		format = preset
	}
	var literal strings.Builder
	quotes := 0
	for rest := format; ; {
		before, after, found := strings.Cut(rest, "%")
		literal.WriteString(before)
		quotes += strings.Count(before, `"`)
		if !found {
			f.tail = literal.String()
			return f, nil
		}
		if strings.HasPrefix(after, "%") {
			literal.WriteByte('%')
			rest = after[1:]
			continue
		}
		at, length, err := parseField(after)
		if err != nil {
			return nil, fmt.Errorf("access log format: %w", err)
		}
		at.literal, at.bare = literal.String(), quotes%2 == 0
		f.fields = append(f.fields, at)
		literal.Reset()
		rest = after[length:]
	}
}

// parseField reads what follows a percent sign, "(atom)s", and returns how long it is.
func parseField(text string) (field, int, error) {
	end := strings.IndexByte(text, ')')
	if !strings.HasPrefix(text, "(") || end < 0 {
		return field{}, 0, fmt.Errorf("%q is not of the form %%(atom)s: write %%%% for a percent sign",
			excerpt("%"+text))
	}
	at, number, err := findAtom(text[1:end])
	if err != nil {
		return field{}, 0, err
	}
	length, err := at.padding.parse(text[end+1:], number)
	length += end + 1
	if err != nil {
		return field{}, 0, fmt.Errorf("%q: %w", "%"+text[:min(length+1, len(text))], err)
	}
	return at, length, nil
}

// findAtom finds an atom by what stands between the parentheses, and tells whether it is a number.
func findAtom(name string) (at field, number bool, err error) {
	if a, ok := numbers[name]; ok {
		return field{atom: a}, true, nil
	}
	if a, ok := atoms[name]; ok {
		return field{atom: a, name: headerAtoms[name]}, false, nil
	}
	last := len(name) - 1
	if last > 2 && name[0] == '{' && name[last-1] == '}' && named[name[last]] != nil {
		return field{atom: named[name[last]], name: strings.ToLower(name[1 : last-1])}, false, nil
	}
	return field{}, false, fmt.Errorf("unknown atom %q: the valid ones are %s", name, validAtoms)
}

// excerpt keeps messages short.
func excerpt(text string) string {
	const most = 20
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}

// appendLine appends the line of a record, with its newline.
func (f *formatter) appendLine(dst []byte, r *Record) []byte {
	if f.json {
		return f.appendObject(dst, r)
	}
	for i := range f.fields {
		at := &f.fields[i]
		dst = append(dst, at.literal...)
		start := len(dst)
		dst = at.atom(dst, f, r, at)
		if at.padding.any {
			dst = at.padding.apply(dst, start)
		}
	}
	return append(append(dst, f.tail...), '\n')
}
