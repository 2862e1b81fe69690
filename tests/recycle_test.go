package tests

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// ask requests the pid from several clients at once, each time on a new connection, and returns how often each worker
// answered. Every request must be answered.
func (s *Server) ask(clients, requests int) map[int]int {
	s.t.Helper()
	var mutex sync.Mutex
	var group sync.WaitGroup
	served, failures := map[int]int{}, []string{}
	for range clients {
		group.Go(func() {
			for range requests / clients {
				r, err := s.TryGet("/")
				var report processReport
				mutex.Lock()
				switch {
				case err != nil:
					failures = append(failures, err.Error())
				case r.Status != 200 || r.Truncated:
					failures = append(failures, fmt.Sprintf("status %d, truncated %v", r.Status, r.Truncated))
				default:
					r.JSON(s.t, &report)
					served[report.PID]++
				}
				mutex.Unlock()
			}
		})
	}
	group.Wait()
	if len(failures) > 0 {
		s.t.Errorf("%d of %d requests failed: %s", len(failures), requests, failures[0])
	}
	return served
}

// Workers come and go all the time, and no client notices.
func TestMaxRequestsLosesNothing(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		for name, workers := range map[string]int{"one": 1, "two": 2} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := Start(t, Options{App: "process", Kind: kind, Workers: workers,
					Args: []string{"--max-requests", "50", "--max-requests-jitter", "10"}})
				replaced := regexp.MustCompile(`Replacing worker \(pid:(\d+)\): it has served (\d+) requests`)
				served := map[int]int{}
				eventually(t, "four workers are replaced", func() bool {
					for pid, n := range s.ask(4, 100) {
						served[pid] += n
					}
					return len(replaced.FindAllString(s.Log(), -1)) >= 4
				})
				for _, line := range replaced.FindAllStringSubmatch(s.Log(), -1) {
					pid, _ := strconv.Atoi(line[1])
					if count, _ := strconv.Atoi(line[2]); count < 50 || count > 60 || served[pid] < 50 {
						t.Errorf("%s; it served %d", line[0], served[pid])
					}
				}
			})
		}
	})
}

func TestReloadOnException(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "exceptions", Kind: kind, Args: []string{"--reload-on-exception"}})
		old := s.Workers()[0]
		s.Expect(`Error handling request|Traceback`)
		if r := s.Get("/before"); r.Status != 500 {
			t.Fatalf("status %d", r.Status)
		}
		eventually(t, "the worker is replaced", func() bool {
			workers := s.Workers()
			return len(workers) == 1 && workers[0] != old
		})
		if !strings.Contains(s.Log(), "the application raised an exception (reload_on_exception)") {
			t.Error("the log does not say why")
		}
	})
}

func TestMaxWorkerMemory(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "process", Args: []string{"--max-worker-memory", "1"}})
	old := s.Workers()[0]
	eventually(t, "the worker is replaced", func() bool { return !alive(old) })
	s.WaitLog(`it takes \d+ MiB of memory, more than 1 \(max_worker_memory\)`, 1)
	s.process()
}
