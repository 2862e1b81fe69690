package tests

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"testing"
)

// rss is the current and the peak memory of the process in MiB.
func (s *Server) rss() (peak, current int) {
	s.t.Helper()
	if _, err := fmt.Sscanf(s.Get("/rss").Body, "%d %d", &peak, &current); err != nil {
		s.t.Fatal(err)
	}
	return peak / 1024, current / 1024
}

// A body of 50 MB arrives whole and is not held in memory.
func TestBigUpload(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "upload", Kind: kind})
		const size, block = 50 << 20, 64 << 10
		data := make([]byte, block)
		for i := range data {
			data[i] = byte(i * 7)
		}
		sum := sha256.New()
		for range size / block {
			sum.Write(data)
		}
		want := fmt.Sprintf("%d %x", size, sum.Sum(nil))
		s.Do(post("/", "warm")).Want(t, 200, fmt.Sprintf("4 %x", sha256.Sum256([]byte("warm"))))
		_, before := s.rss()
		for _, framing := range []string{fmt.Sprintf("Content-Length: %d", size), "Transfer-Encoding: chunked"} {
			c := s.Dial()
			out := bufio.NewWriterSize(c.Conn, 1<<20)
			fmt.Fprintf(out, "POST / HTTP/1.1\r\nHost: test\r\n%s\r\n\r\n", framing)
			isChunked := framing[0] == 'T'
			for range size / block {
				if isChunked {
					fmt.Fprintf(out, "%x\r\n", block)
				}
				out.Write(data)
				if isChunked {
					io.WriteString(out, "\r\n")
				}
			}
			if isChunked {
				io.WriteString(out, "0\r\n\r\n")
			}
			if err := out.Flush(); err != nil {
				t.Fatalf("sending: %v", err)
			}
			c.Next("POST").Want(t, 200, want)
		}
		if peak, current := s.rss(); peak-before >= 20 {
			t.Errorf("memory grew from %d MiB to %d MiB at its peak, %d MiB now", before, peak, current)
		}
	})
}
