package logging

import (
	"path/filepath"
	"testing"
	"time"
)

// browser is a request as a browser sends it, its headers looked up as a server would: one after the other.
func browser() *Record {
	headers := [][2][]byte{}
	for _, h := range [][2]string{
		{"host", "www.example.com"}, {"connection", "keep-alive"}, {"accept", "text/html,application/xhtml+xml"},
		{"user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " +
			"Chrome/142.0.0.0 Safari/537.36"},
		{"accept-encoding", "gzip, deflate, br, zstd"}, {"accept-language", "en-GB,en;q=0.9"},
		{"referer", "https://www.example.com/articles/"}, {"cookie", "sessionid=0123456789abcdef"},
	} {
		headers = append(headers, [2][]byte{[]byte(h[0]), []byte(h[1])})
	}
	return &Record{
		RemoteAddr: []byte("192.0.2.7"), Method: []byte("GET"), Target: []byte("/articles/2026/11/?page=2"),
		Path: []byte("/articles/2026/11/"), Query: []byte("page=2"), Protocol: []byte("HTTP/1.1"),
		Status: 200, BodyBytes: 12345, Start: time.Now(), Duration: 1234 * time.Microsecond, PID: 4711,
		RequestHeader: func(name string) ([]byte, bool) {
			for i := range headers {
				if string(headers[i][0]) == name {
					return headers[i][1], true
				}
			}
			return nil, false
		},
		ResponseHead: []byte("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 12345\r\n\r\n"),
		Environ:      func(string) ([]byte, bool) { return nil, false },
	}
}

var benchmarks = []struct{ name, format string }{
	{"default", DefaultAccessFormat},
	{"long", DefaultAccessFormat +
		` %(p)s %(L)s %(D)08d "%({x-request-id}i)s" "%({content-type}o)s" %({remote_port}e)s %(m)-7s`},
}

func TestWriteAllocatesNothing(t *testing.T) {
	for _, tt := range benchmarks {
		a := open(t, filepath.Join(t.TempDir(), "x.log"), tt.format)
		r := browser()
		authorization, other := []byte(basic("ann:secret")), []byte("x\n")
		r.RequestHeader = func(name string) ([]byte, bool) {
			if name == "authorization" {
				return authorization, true
			}
			return other, true
		}
		got := testing.AllocsPerRun(2000, func() { // enough lines to fill the buffer and write it
			r.Start = r.Start.Add(10 * time.Millisecond)
			a.Write(r)
		})
		if got != 0 {
			t.Errorf("%s: %v allocations a line", tt.name, got)
		}
	}
}

// BenchmarkWrite writes to a device, which costs more system calls than a file and spares the disk.
func BenchmarkWrite(b *testing.B) {
	for _, bb := range benchmarks {
		b.Run(bb.name, func(b *testing.B) {
			a, err := OpenAccess("/dev/null", bb.format)
			if err != nil {
				b.Fatal(err)
			}
			r := browser()
			b.ReportAllocs()
			for b.Loop() {
				r.Start = r.Start.Add(10 * time.Microsecond) // 100 000 requests a second
				a.Write(r)
			}
			if err := a.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkFormat is a line without the lock, the buffer and the file.
func BenchmarkFormat(b *testing.B) {
	for _, bb := range benchmarks {
		b.Run(bb.name, func(b *testing.B) {
			f, err := compile(bb.format)
			if err != nil {
				b.Fatal(err)
			}
			r, line := browser(), []byte{}
			b.ReportAllocs()
			for b.Loop() {
				line = f.appendLine(line[:0], r)
			}
		})
	}
}
