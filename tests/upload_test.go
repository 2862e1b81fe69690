package tests

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strconv"
	"testing"
	"time"
)

// rss is the current and the peak memory of the process in MiB.
func (s *Server) rss() (peak, current int) {
	s.t.Helper()
	if _, err := fmt.Sscanf(s.Get("/rss").Body, "%d %d", &peak, &current); err != nil {
		s.t.Fatal(err)
	}
	return peak / 1024, current / 1024
}

// uploadSize is 50 MB, or $UPLOADSIZE MB.
func uploadSize(t *testing.T) int {
	t.Helper()
	text := os.Getenv("UPLOADSIZE")
	if text == "" {
		return 50 << 20
	}
	size, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return size << 20
}

// A large body arrives whole and is not held in memory, whether the application runs after it or meanwhile.
func TestBigUpload(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		args := []string(nil)
		if kind.Threads > 1 {
			args = []string{"--no-request-buffering"}
		}
		s := Start(t, Options{App: "upload", Kind: kind, Args: args})
		const block = 64 << 10
		size := uploadSize(t)
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
			c.SetDeadline(time.Now().Add(patience + time.Duration(size>>20)*100*time.Millisecond))
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
		if peak, current := s.rss(); peak-before >= 16 {
			t.Errorf("memory grew from %d MiB to %d MiB at its peak, %d MiB now", before, peak, current)
		}
	})
}
