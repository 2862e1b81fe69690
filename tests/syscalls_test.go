package tests

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// notOfRequests are calls that belong to connections, or to the clock: the scheduler's, and those of the watch over
// requests that take long. Their number tells how long the tracer took.
var notOfRequests = regexp.MustCompile(`^(accept4|epoll_ctl|close|clone3?|mmap|munmap|mprotect|madvise|futex|tgkill|` +
	`set_robust_list|ppoll|read|write|nanosleep|clock_nanosleep|get[pt]id|rt_sig.*|sigaltstack|sched_.*|rseq|` +
	`restart_syscall)$`)

// A request on a kept-alive connection costs one read and one write, and at most a look at the poller and a wait on it
// without the GIL; when requests come together, less. These are counts, not times: they hold on a busy machine too.
func TestSystemCallsPerRequest(t *testing.T) {
	t.Parallel()
	strace := tool(t, "strace")
	for _, kind := range []Kind{syncKind, gthreadKind} {
		for connections, polls := range map[int]float64{1: 2.5, 32: 1.6} { // usually 2 and 1, or less
			t.Run(fmt.Sprintf("%s-%d", kind.Name, connections), func(t *testing.T) {
				t.Parallel()
				const requests = 1600
				s := Start(t, Options{App: "hello", Kind: kind})
				exchangeMany(t, s, connections, 320) // what only the first requests cost
				counts := countSystemCalls(t, strace, s.Workers()[0], func() {
					exchangeMany(t, s, connections, requests)
				})
				for _, bound := range []struct {
					what  string
					calls int
					limit float64
				}{
					{"recvfrom", counts["recvfrom"], 1.25}, // the end of each connection is read too
					{"sendto", counts["sendto"], 1},
					{"polls", counts["epoll_wait"] + counts["epoll_pwait"], polls},
					{"others", others(counts), 0.02},
				} {
					if per := float64(bound.calls) / requests; per > bound.limit {
						t.Errorf("%s: %.3f for each request, more than %.2f: %v", bound.what, per, bound.limit, counts)
					}
				}
				// strace may not see the end of the last calls
				if min(counts["recvfrom"], counts["sendto"]) < requests-connections {
					t.Errorf("fewer than the requests: %v", counts)
				}
			})
		}
	}
}

// others is how many calls were made that no request should need.
func others(counts map[string]int) (n int) {
	for name, calls := range counts {
		switch name {
		case "recvfrom", "sendto", "epoll_wait", "epoll_pwait":
		default:
			if !notOfRequests.MatchString(name) {
				n += calls
			}
		}
	}
	return n
}

// exchangeMany sends requests on several kept-alive connections at once, on each one after the other.
func exchangeMany(t *testing.T, s *Server, connections, requests int) {
	t.Helper()
	failed := make(chan error, connections)
	for range connections {
		c := s.Dial()
		go func() { failed <- exchangeOn(c, requests/connections) }()
	}
	for range connections {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
}

func exchangeOn(c *Conn, requests int) error {
	defer c.Close()
	for range requests {
		if _, err := io.WriteString(c.Conn, get("/")); err != nil {
			return err
		}
		if _, err := readResponse(c.reader, "GET"); err != nil {
			return err
		}
	}
	return nil
}

// countSystemCalls returns how often a process and its threads make each system call while work runs.
func countSystemCalls(t *testing.T, strace string, pid int, work func()) map[string]int {
	t.Helper()
	table := filepath.Join(t.TempDir(), "counts")
	tracer := exec.Command(strace, "-f", "-qq", "-c", "-U", "calls,name", "-o", table, "-p", strconv.Itoa(pid))
	tracer.Stderr = os.Stderr
	if err := tracer.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "strace has attached to all threads", func() bool { return traced(pid) })
	work()
	_ = tracer.Process.Signal(syscall.SIGINT)
	_ = tracer.Wait() // its status is that of the interrupt
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 2 && fields[1] != "total" {
			if n, err := strconv.Atoi(fields[0]); err == nil {
				counts[fields[1]] = n
			}
		}
	}
	if len(counts) == 0 {
		t.Fatalf("strace counted nothing:\n%s", text)
	}
	return counts
}

// traced reports whether every thread of a process has a tracer.
func traced(pid int) bool {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(tasks) == 0 {
		return false
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil || strings.Contains(string(text), "TracerPid:\t0\n") {
			return false
		}
	}
	return true
}
