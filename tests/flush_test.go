package tests

import "testing"

// PEP 3333, "Buffering and Streaming": a block is on its way before the application is asked for the next one.
func TestBlocksAreFlushed(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "flush", Kind: kind, Env: []string{gate.Env()}})
		for _, c := range []struct{ path, version, framing string }{
			{"/generator", "1.1", "chunked"},
			{"/length", "1.1", "length"},
			{"/write", "1.1", "chunked"},
			{"/generator", "1.0", "close"},
		} {
			connection := s.Dial()
			connection.Send("GET " + c.path + " HTTP/" + c.version + "\r\nHost: test\r\n\r\n")
			visitor := gate.Await()
			head, err := readHead(connection.reader)
			if err != nil {
				t.Fatal(err)
			}
			first := "before "
			if c.framing == "chunked" {
				first = "7\r\nbefore \r\n"
			}
			if got := connection.ReadRaw(len(first)); got != first {
				t.Errorf("%s: first block %q", c.path, got)
			}
			visitor.Release()
			if err := head.readBody(connection.reader, "GET"); c.framing != "length" && err != nil {
				t.Fatal(err)
			} else if c.framing == "length" {
				head.Body = head.Body[:min(5, len(head.Body))]
			}
			if head.Body != "after" || head.Framing != c.framing {
				t.Errorf("%s: second block %q, framing %s", c.path, head.Body, head.Framing)
			}
			connection.Close()
		}
	})
}
