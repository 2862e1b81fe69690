package tests

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// Every request is logged once, however it ended: in the access log, or if its worker died in the master's error log.
func TestOutcomes(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "outcomes", Kind: kind, Args: []string{"--access-logfile", "-",
			"--access-logformat", "%(m)s %(U)s?%(q)s %(s)s %(outcome)s"}})
		s.Expect(`Error handling request GET /fail`)
		s.Expect(`REQUEST TIMEOUT .*GET /slow`)
		s.Allow(`\[(WARNING|ERROR)\] .*(/slow|Invalid request|exited with code 9|replaced|"GET /die)`)
		worker := s.Workers()[0]
		for i, c := range []struct {
			request string
			reads   bool // its client waits for the end of the answer
			want    string
		}{
			{get("/answered?N"), true, "GET /answered?N 200 answered"},
			{get("/fail?N"), true, "GET /fail?N 500 failed"},
			{get("/slow?N"), true, "GET /slow?N 504 timeout"},
			{get("/endless?N"), false, "GET /endless?N 200 client-gone"},
			{"GET /refused?N HTTP/1.1\r\n\r\n", true, "GET /refused?N 400 refused"},
			{"POST /cut?N HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf", false, "POST /cut?N - client-gone"},
		} {
			number := fmt.Sprint(i)
			conn := s.Dial()
			conn.Send(strings.Replace(c.request, "N", number, 1))
			if c.reads {
				conn.Next("GET")
			} else if strings.Contains(c.request, "endless") {
				conn.ReadRaw(20)
			}
			conn.Close()
			want := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(strings.Replace(c.want, "N", number, 1)) + `$`)
			eventually(t, want.String(), func() bool { return want.MatchString(s.Output()) })
		}
		conn := s.Dial()
		conn.Send(get("/die?last"))
		s.WaitLog(fmt.Sprintf(`Worker \(pid:%d\) exited with code 9`, worker), 1)
		s.WaitLog(`GET /die\?last`, 1)
		s.WaitLog(`Booting worker`, 2)
		s.Get("/again")
		s.WaitWorkers(1)
		eventually(t, "the last line", func() bool { return strings.Contains(s.Output(), "/again") })
		s.forgetDescriptors()
		if lines := strings.Count(s.Output(), "\n"); lines != 7 || strings.Count(s.Log(), "/die?last") != 1 {
			t.Errorf("%d lines instead of 7:\n%s", lines, s.Output())
		}
	})
}
