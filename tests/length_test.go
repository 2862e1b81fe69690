package tests

import "testing"

// PEP 3333, "Handling the Content-Length Header": what is declared is what is sent, or the connection ends.
func TestBodyShorterThanContentLength(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "length", Kind: kind})
		for _, form := range []string{"list", "blocks", "generator", "write"} {
			s.Expect(`GET /` + form + `.*Content-Length`)
			c := s.Dial()
			r := c.Roundtrip(get("/" + form + "?15"))
			if r.Status != 200 || r.Body != "0123456789" || !r.Truncated {
				t.Errorf("%s: %+v", form, r)
			}
			c.ExpectClosed()
		}
	})
}

func TestBodyLongerThanContentLength(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "length", Kind: kind})
		for _, form := range []string{"list", "blocks", "generator", "write"} {
			s.Expect(`GET /` + form + `.*Content-Length`)
			for _, length := range []string{"0", "3", "5", "7"} {
				c := s.Dial()
				r := c.Roundtrip(get("/"+form+"?"+length)).Want(t, 200, "0123456789"[:length[0]-'0'])
				if r.Value("Content-Length") != length {
					t.Errorf("%s: %v", form, r.Fields)
				}
				if r.Closes() {
					c.ExpectClosed()
				} else {
					c.Roundtrip(get("/list?10")).Want(t, 200, "0123456789")
				}
			}
		}
	})
}

func TestBodyOfExactlyContentLength(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "length", Kind: kind})
		for _, form := range []string{"list", "blocks", "generator", "write", "again"} {
			if r := s.Get("/"+form+"?10").Want(t, 200, "0123456789"); r.Framing != "length" {
				t.Errorf("%s is sent as %s", form, r.Framing)
			}
		}
	})
}
