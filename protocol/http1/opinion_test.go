package http1

import (
	"fmt"
	"testing"
)

// What is remembered of a head must not be taken for another's.
func TestSecondOpinionOfTheNextHead(t *testing.T) {
	heads := []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: b\r\n\r\n", "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n",
		"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
	}
	kept := NewParser(defaults)
	for _, first := range heads {
		for _, second := range heads {
			for _, head := range []string{first, first, second, first} {
				var got, want Request
				n, err := kept.Parse([]byte(head), &got)
				fresh, freshErr := NewParser(defaults).Parse([]byte(head), &want)
				if n != fresh || err != freshErr || err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("%q after %q: %d, %v, %v; want %d, %v, %v", head, first, n, err, got, fresh, freshErr, want)
				}
			}
		}
	}
}

func TestSecondOpinionThatDiffers(t *testing.T) {
	p, req := NewParser(defaults), &Request{}
	head := []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := p.Parse(head, req); err != nil {
		t.Fatal(err)
	}
	other := []byte("GET / HTTP/1.1\r\nHost: b\r\n\r\n")
	for range 2 { // the second time as well
		if err := p.secondOpinion(other, req); err != errSecond {
			t.Errorf("a head of another host: %v", err)
		}
	}
	if err := p.secondOpinion(head, req); err != nil {
		t.Errorf("the head that both accept: %v", err)
	}
}

// What the log says names the rule, not the parser that has it.
func TestTrailerNames(t *testing.T) {
	for trailer, want := range map[string]error{
		"Checksum": nil, "checksum, X-Time": nil, "Content-Length": errTrailerName, "X-Time, host": errTrailerName,
	} {
		head := "GET / HTTP/1.1\r\nHost: a\r\nTrailer: " + trailer + "\r\n\r\n"
		if _, err := NewParser(defaults).Parse([]byte(head), &Request{}); err != want {
			t.Errorf("%q: %v", trailer, err)
		}
	}
}
