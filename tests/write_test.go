package tests

import "testing"

// PEP 3333, "The write() Callable".
func TestWriteCallable(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "write_callable", Kind: kind})
		for path, body := range map[string]string{
			"/only":      "one two",
			"/mixed":     "written and returned",
			"/generator": "written from inside and yielded",
			"/length":    "counted",
			"/empty":     "after nothing",
		} {
			s.Get(path).Want(t, 200, body)
			if r := s.Do("GET " + path + " HTTP/1.0\r\n\r\n"); r.Body != body || r.Truncated {
				t.Errorf("%s in HTTP/1.0: %+v", path, r)
			}
		}
		if r := s.Get("/length"); r.Framing != "length" {
			t.Errorf("a counted response is sent as %s", r.Framing)
		}
	})
}

// A client that leaves is no fault of the application. A fault of its own beside that is told, as under gunicorn.
func TestWriteToNobody(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "write_callable", Kind: kind, Args: []string{"--spool-response-limit", "1M"}})
		s.Expect(`\[ERROR\] Error handling request GET /fault\s(?s:.*)BrokenPipeError(?s:.*)ValueError: a fault beside`)
		for _, path := range []string{"/endless", "/fault"} {
			c := s.Dial()
			c.Send(get(path))
			c.ReadRaw(100000)
			c.Reset()
		}
		s.WaitLog(`a fault beside a lost client`, 1)
	})
}

func TestWriteDemandsBytes(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "write_callable", Kind: kind})
		s.Expect(`\[ERROR\] Error handling request GET /text\s.*bytes`)
		wantErrorPage(t, s.Get("/text"))
	})
}
