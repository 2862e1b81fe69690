package tests

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Nothing of the server's turns the GIL of a free-threaded Python on.
func TestFreeThreadingStaysFree(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		want := map[bool]string{true: "off", false: "on"}[freeThreaded()]
		Start(t, Options{App: "parallel", Kind: kind}).Get("/gil").Want(t, 200, want)
	})
}

// CPython 3.13 lets functions and classes live for ever when there are threads: otherwise these would compete for the
// reference count of everything that they call. What the server does at the start must not keep them from that.
func TestFreeThreadingSharesNoCounts(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		version, _ := exec.Command(interpreter, "--version").Output()
		if !freeThreaded() || !strings.HasPrefix(string(version), "Python 3.13.") {
			t.Skipf("%s is no free-threaded Python 3.13", interpreter)
		}
		Start(t, Options{App: "parallel", Kind: kind}).Get("/counted").Want(t, 200, "no")
		Start(t, Options{App: "parallel", Kind: kind, Args: []string{"--preload"}}).Get("/counted").Want(t, 200, "no")
	})
}

// parallel are requests to pyapps/parallel; each answer is looked at by a function that says what is wrong with it.
var parallel = []struct {
	request string
	check   func(r *Response) string
}{
	{get("/started"), func(r *Response) string {
		for _, field := range r.Fields {
			if strings.HasPrefix(field.Name, "X-") && strings.Trim(field.Value, r.Reason) != "" {
				return "a head of two"
			}
		}
		return unless(len(r.Fields) >= 10 && r.Body == "started", "its head is not whole")
	}},
	{get("/written"), func(r *Response) string {
		blocks := regexp.MustCompile(`a{997}|b{991}`).ReplaceAllString(r.Body, "")
		return unless(blocks == "" && len(r.Body) == 5*(997+991), "its blocks are not whole")
	}},
	{get("/mutated"), func(r *Response) string {
		return unless(strings.Trim(r.Body, "xy") == "", "something else in the body")
	}},
	{get("/late"), func(r *Response) string {
		return unless(r.Body == "fine" && r.Value("X-Fine") == "yes" && r.Value("X-Late") == "", "another request's answer")
	}},
	{get("/hinted"), func(r *Response) string { return unless(r.Body == "0123456789", "another body") }},
	{post("/echoed?query", "a body"), func(r *Response) string {
		return unless(r.Body == "a bodyquery", "another body")
	}},
}

func unless(fine bool, complaint string) string {
	if fine {
		return ""
	}
	return complaint
}

// Requests run at the same time, and threads of the application use one response together: each answer is in order.
// PYHOST_LOAD=full: for a minute.
func TestParallelThreads(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "parallel", Kind: gthreadKind, Args: []string{
		"--access-logfile", os.DevNull, "--access-logformat", "%(s)s %({wsgi.errors}e)s"}})
	seconds := 2 * time.Second
	if full() {
		seconds = time.Minute
	}
	var clients sync.WaitGroup
	for i := range gthreadKind.Threads + 2 {
		c := s.Dial()
		clients.Go(func() {
			defer c.Close()
			for n, end := i, time.Now().Add(seconds); time.Now().Before(end); n++ {
				if complaint := c.parallel(n); complaint != "" {
					t.Error(complaint)
					return
				}
			}
		})
	}
	clients.Wait()
}

// parallel sends the n-th request and says what is wrong with the answer.
func (c *Conn) parallel(n int) string {
	kind := parallel[n%len(parallel)]
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte(kind.request)); err != nil {
		return fmt.Sprintf("%.20q: %v", kind.request, err)
	}
	r := &Response{Status: 103}
	for r.Status == 103 {
		var err error
		if r, err = readResponse(c.reader, "GET"); err != nil {
			return fmt.Sprintf("%.20q: %v", kind.request, err)
		}
	}
	if r.Status != 200 {
		return fmt.Sprintf("%.20q: %d %s", kind.request, r.Status, r.Body)
	}
	if complaint := kind.check(r); complaint != "" {
		return fmt.Sprintf("%.20q: %s: %+v", kind.request, complaint, r)
	}
	return ""
}
