package tests

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
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
		for connections, polls := range map[int]float64{1: 1.5, 32: 1.5} { // usually 1.1 and less
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

// A connection for one request, as a proxy makes them that keeps none, costs accepting, reading, answering and closing
// it; over a unix socket at most a second look for a request that was not there yet: over TCP the kernel keeps the
// connection back until it is. Where it ends, the response takes its end along (shutdown), and there is one look for
// bytes that a close would turn into a reset.
func TestSystemCallsPerConnection(t *testing.T) {
	t.Parallel()
	strace := tool(t, "strace")
	packet := uwsgiPacket(0, "REQUEST_METHOD=GET", "REQUEST_URI=/", "PATH_INFO=/",
		"HTTP_HOST=h", "SERVER_PROTOCOL=HTTP/1.1")
	for _, c := range []struct {
		name, bind, request        string
		receives, shutdowns, waits float64
	}{
		{"http", "127.0.0.1:0", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 2.05, 1, 0.05},
		{"uwsgi", "uwsgi+unix:" + shortDirectory(t) + "/s", packet, 2, 0, 1.05},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const clients, each = 8, 60
			s := Start(t, Options{App: "hello", Bind: []string{c.bind}})
			counts := countSystemCalls(t, strace, s.Workers()[0], func() { connectMany(t, s, clients, each, c.request) })
			for _, bound := range []struct {
				what  string
				calls int
				limit float64
			}{
				{"accept4", counts["accept4"], 1.5}, // now and then for a connection that is not there
				{"recvfrom", counts["recvfrom"], c.receives},
				{"sendto", counts["sendto"], 1},
				{"shutdown", counts["shutdown"], c.shutdowns},
				{"close", counts["close"], 1.05},
				{"epoll_ctl", counts["epoll_ctl"], c.waits},
				{"polls", counts["epoll_wait"] + counts["epoll_pwait"], 2.5},
				{"others", others(counts) - counts["shutdown"], 0.05},
			} {
				if per := float64(bound.calls) / (clients * each); per > bound.limit {
					t.Errorf("%s: %.3f for each connection, more than %.2f: %v", bound.what, per, bound.limit, counts)
				}
			}
			if counts["sendto"] < clients*each-clients { // strace may not see the end of the last calls
				t.Errorf("fewer than the requests: %v", counts)
			}
		})
	}
}

// The blocks of a stream that are yielded one right after the other need no system call each, and few of the clock's.
func TestSystemCallsPerBlock(t *testing.T) {
	t.Parallel()
	strace := tool(t, "strace")
	s := Start(t, Options{App: "bench_wsgi", Module: "app:stream"})
	const requests, blocks = 20, 1000
	s.Get("/")
	counts := countSystemCalls(t, strace, s.Workers()[0], func() {
		for range requests {
			s.Get("/").Want(t, 200, strings.Repeat("0123456789", 10*blocks))
		}
	})
	for _, name := range []string{"sendto", "timerfd_settime"} {
		if counts[name] < requests || counts[name] > requests*blocks/4 {
			t.Errorf("%s: %d for %d blocks: %v", name, counts[name], requests*blocks, counts)
		}
	}
}

// connectMany sends each request on a connection of its own, several at once, and reads up to the end.
func connectMany(t *testing.T, s *Server, clients, each int, request string) {
	t.Helper()
	failed := make(chan error, clients)
	network, name := splitAddress(s.Addresses[0])
	for range clients {
		go func() {
			var err error
			for n := 0; n < each && err == nil; n++ {
				err = requestOnce(network, name, request)
			}
			failed <- err
		}()
	}
	for range clients {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
}

func requestOnce(network, name, request string) error {
	c, err := net.DialTimeout(network, name, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, request); err != nil {
		return err
	}
	response, err := io.ReadAll(c)
	if err == nil && !strings.HasSuffix(string(response), "Hello, world!\n") {
		err = fmt.Errorf("the response is %q", response)
	}
	return err
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
