//go:build soak

package tests

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var soakTime = flag.Duration("soak", 30*time.Minute, "how long TestSoak runs")

const soakClients = 4

// TestSoak loads one server that is reloaded, scaled, and loses processes all the time, and one that is left alone.
func TestSoak(t *testing.T) {
	t.Run("disturbed", func(t *testing.T) {
		t.Parallel()
		soakDisturbed(t, startDjango(t, gthreadKind, "127.0.0.1:0", "--max-requests", "500", "--max-requests-jitter", "100"))
	})
	t.Run("steady", func(t *testing.T) {
		t.Parallel()
		soakSteady(t, startDjango(t, gthreadKind, "127.0.0.1:0"))
	})
}

// load is what the clients of one server have met.
type load struct {
	requests atomic.Int64
	mutex    sync.Mutex
	failures []failure
}

type failure struct {
	at    time.Time
	cause error
}

// run sends requests from several clients until stop is closed, and waits for their ends.
func (l *load) run(base string, stop <-chan struct{}) {
	var group sync.WaitGroup
	for range soakClients {
		group.Go(func() {
			kept := &http.Client{Timeout: patience, Transport: &http.Transport{}}
			defer kept.CloseIdleConnections()
			// A POST on a kept connection that the server closes at that moment is not repeated: HTTP has no answer to
			// that. So uploads take a connection each.
			fresh := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
			for number := 0; ; number++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := soakRequest(kept, fresh, base, number); err != nil {
					l.mutex.Lock()
					l.failures = append(l.failures, failure{time.Now(), err})
					l.mutex.Unlock()
				}
				l.requests.Add(1)
			}
		})
	}
	group.Wait()
}

// soakRequest takes turns: pages, a stream, an upload, a download.
func soakRequest(kept, fresh *http.Client, base string, number int) error {
	client, method, path, want := kept, "GET", "/", "Documents"
	var body io.Reader
	switch number % 8 {
	case 1:
		path, want = "/request.json", `"method": "GET"`
	case 2:
		path, want = "/stream/?lines=2000", "line 1999\n"
	case 3:
		client, method, path, want = fresh, "POST", "/checksum/", `"length": 100000`
		body = bytes.NewReader(make([]byte, 100_000))
	case 4:
		path, want = "/download/", ""
	}
	request, err := http.NewRequest(method, base+path, body)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode != 200 || !strings.Contains(string(content), want) {
		return fmt.Errorf("%s %s: status %d, body %.200q", method, path, response.StatusCode, content)
	}
	return nil
}

// disturbance does something to a server under load and waits until that is over. It returns when it killed a worker.
type disturbance func(t *testing.T, s *Server) (killed time.Time)

// disturbances come one after the other, again and again; workers are replaced every 500 requests besides.
var disturbances = []disturbance{
	soakReload, soakKill, soakStorm, soakScale, soakKill, soakUpgrade, soakReload, soakForkserver,
}

func soakReload(t *testing.T, s *Server) (killed time.Time) {
	before := strings.Count(s.Log(), "Reloaded: ")
	s.Signal(syscall.SIGHUP)
	eventually(t, "the reload is over", func() bool { return strings.Count(s.Log(), "Reloaded: ") > before })
	return killed
}

// soakStorm sends several HUPs; those that come during the first reload are one.
func soakStorm(t *testing.T, s *Server) (killed time.Time) {
	before := strings.Count(s.Log(), "Reloaded: ")
	heard := strings.Count(s.Log(), "Handling signal: hup")
	for n := range 4 {
		s.Signal(syscall.SIGHUP)
		s.WaitLog(`Handling signal: hup`, heard+n+1)
	}
	eventually(t, "the reloads are over", func() bool { return strings.Count(s.Log(), "Reloaded: ") > before+1 })
	return killed
}

func soakKill(t *testing.T, s *Server) (killed time.Time) {
	before := strings.Count(s.Log(), "was sent SIGKILL!")
	killed = time.Now()
	eventually(t, "a worker is killed", func() bool {
		workers := s.Workers()
		return syscall.Kill(workers[rand.IntN(len(workers))], syscall.SIGKILL) == nil
	})
	eventually(t, "it is missed", func() bool { return strings.Count(s.Log(), "was sent SIGKILL!") > before })
	return killed
}

func soakScale(t *testing.T, s *Server) (killed time.Time) {
	s.Signal(syscall.SIGTTIN)
	eventually(t, "there is one worker more", func() bool { return len(s.Workers()) >= 3 })
	s.Signal(syscall.SIGTTOU)
	eventually(t, "it has ended", func() bool { return len(s.Workers()) <= 2 }) // or soakKill might choose it
	return killed
}

func soakForkserver(t *testing.T, s *Server) (killed time.Time) {
	old := s.forkserver()
	syscall.Kill(old, syscall.SIGKILL)
	eventually(t, "there is a new forkserver", func() bool {
		for _, p := range s.Processes() {
			if p.pid != old && p.state != "Z" && strings.HasPrefix(p.title, "pyhost: forkserver") {
				return true
			}
		}
		return false
	})
	return killed
}

// soakUpgrade replaces the master by a new one.
func soakUpgrade(t *testing.T, s *Server) (killed time.Time) {
	before := s.Workers()
	successor := s.Upgrade()
	eventually(t, "the workers of the new master boot", func() bool { return len(s.Workers()) >= len(before)+2 })
	s.Signal(syscall.SIGTERM)
	s.Promote(successor)
	s.WaitLog(fmt.Sprintf(`\[%d\] \[INFO\] Master has been promoted`, successor), 1)
	return killed
}

// soakDisturbed demands that nothing but killed workers costs a request, and those only what they were serving.
func soakDisturbed(t *testing.T, server *Server) {
	server.Allow(`was sent SIGKILL!`)
	server.Allow(`A (worker|forkserver) failed \d+ times in a row`)
	stop, done := make(chan struct{}), make(chan struct{})
	var l load
	go func() {
		l.run("http://"+server.Addresses[0], stop)
		close(done)
	}()
	var kills []time.Time
	end := time.Now().Add(*soakTime)
	for round := 0; time.Now().Before(end) && !t.Failed(); round++ {
		if killed := disturbances[round%len(disturbances)](t, server); !killed.IsZero() {
			kills = append(kills, killed)
		}
		served := l.requests.Load()
		eventually(t, "requests go on", func() bool { return l.requests.Load() > served+200 })
	}
	close(stop)
	<-done
	t.Logf("%d requests, %d kills, %d failures", l.requests.Load(), len(kills), len(l.failures))
	if len(l.failures) > soakClients*len(kills) {
		t.Errorf("%d failures for %d killed workers", len(l.failures), len(kills))
	}
	for _, f := range l.failures {
		if !follows(f.at, kills) {
			t.Errorf("a request failed at %s, when no worker was killed: %v", f.at.Format("15:04:05.000"), f.cause)
		}
	}
	server.forgetDescriptors()
}

// follows reports whether one of the kills was in the second before.
func follows(at time.Time, kills []time.Time) bool {
	for _, kill := range kills {
		if since := at.Sub(kill); since >= 0 && since < time.Second {
			return true
		}
	}
	return false
}

// soakSteady demands that a quarter of the time is enough to reach a worker's final size.
func soakSteady(t *testing.T, server *Server) {
	stop, done := make(chan struct{}), make(chan struct{})
	var l load
	go func() {
		l.run("http://"+server.Addresses[0], stop)
		close(done)
	}()
	workers := server.Workers()
	<-time.After(*soakTime / 4)
	early := map[int]int{}
	for _, pid := range append(workers, server.PID) {
		early[pid] = resident(t, pid)
	}
	<-time.After(*soakTime * 3 / 4)
	close(stop)
	<-done
	t.Logf("%d requests", l.requests.Load())
	var causes []error
	for _, f := range l.failures {
		causes = append(causes, f.cause)
	}
	if err := errors.Join(causes...); err != nil {
		t.Errorf("%d requests failed: %.2000s", len(causes), err)
	}
	for pid, before := range early {
		now := resident(t, pid)
		t.Logf("process %d: %d KiB, then %d KiB", pid, before, now)
		if now > before*11/10+4096 {
			t.Errorf("process %d grew from %d to %d KiB", pid, before, now)
		}
	}
}

// resident is the memory of one process in RAM, in KiB.
func resident(t *testing.T, pid int) int {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(content))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize() / 1024
}
