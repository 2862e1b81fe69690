package tests

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// freePort is a TCP port of 127.0.0.1 that nobody listened on a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

func TestPortInUse(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		address := listener.Addr().String()
		_, port, _ := net.SplitHostPort(address)
		s := Start(t, Options{App: "hello", Kind: kind, Bind: []string{address}, Cold: true})
		s.Expect(`\[WARNING\] Connection in use: .*` + port)
		s.Expect(`\[ERROR\] Can't connect to .*:` + port + `: another program listens there; stop it, or choose another`)
		s.WaitExit(1)
	})
}

func TestSeveralAddresses(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		path := filepath.Join(shortDir(t), "http.sock")
		s := Start(t, Options{App: "process", Kind: kind, Workers: 2,
			Bind: []string{"127.0.0.1:0", "[::1]:0", "unix:" + path, "localhost:0"}})
		if len(s.Addresses) != 4 {
			t.Fatalf("listening at %v", s.Addresses)
		}
		for i, address := range s.Addresses {
			var report processReport
			s.DialTo(address).Roundtrip(get("/")).JSON(t, &report)
			remote, server := "127.0.0.1", address
			switch i {
			case 1:
				remote, server = "::1", strings.NewReplacer("[", "", "]", "").Replace(address)
			case 2:
				remote, server = "", "test:80"
			}
			if report.Remote != remote || report.Server != server && i != 3 {
				t.Errorf("%s: REMOTE_ADDR %q, server %q", address, report.Remote, report.Server)
			}
		}
	})
}

// Port 0 is another port each time: given twice it is two sockets, and a reload keeps them apart.
func TestPortChosenTwice(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	s := startTLS(t, authority, Options{App: "hello", Bind: []string{"http://127.0.0.1:0", "https://127.0.0.1:0",
		"127.0.0.1:0"}, Args: []string{"--keep-alive", "30"}})
	ask := func() {
		t.Helper()
		if r := s.DialTo(s.Addresses[0]).Roundtrip(get("/")); r.Status != 200 {
			t.Errorf("over HTTP: status %d", r.Status)
		}
		for _, address := range s.Addresses[1:] {
			secure := tls.Client(s.DialTo(address).Conn, &tls.Config{RootCAs: authority.Pool, ServerName: "example.org"})
			if err := secure.Handshake(); err != nil {
				t.Errorf("TLS at %s: %v", address, err)
			}
		}
	}
	if len(s.Addresses) != 3 || s.Addresses[1] == s.Addresses[2] {
		t.Fatalf("listening at %v", s.Addresses)
	}
	ask()
	s.Signal(syscall.SIGHUP)
	s.WaitLog("Reloaded: 1 new worker took over", 1)
	ask()
}

// A socket file that nobody listens on is a leftover; any other file is somebody's.
func TestUnixSocketPath(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		directory := shortDir(t)
		stale := filepath.Join(directory, "stale.sock")
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale})
		if err != nil {
			t.Fatal(err)
		}
		listener.SetUnlinkOnClose(false)
		listener.Close()
		s := Start(t, Options{App: "hello", Kind: kind, Bind: []string{"unix:" + stale}})
		s.Get("/").Want(t, 200, "Hello, world!\n")

		precious := filepath.Join(directory, "precious")
		if err := os.WriteFile(precious, []byte("data"), 0o644); err != nil {
			t.Fatal(err)
		}
		refused := Start(t, Options{App: "hello", Kind: kind, Bind: []string{"unix:" + precious}, Cold: true})
		refused.Expect(precious)
		refused.WaitExit(1)
		if contentOf(precious) != "data" {
			t.Error("the file in the way was removed")
		}
	})
}

func TestUmaskOfUnixSocket(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		for umask, mode := range map[string]os.FileMode{"0": 0o777, "0o117": 0o660} {
			path := filepath.Join(shortDir(t), "s")
			Start(t, Options{App: "hello", Kind: kind, Bind: []string{"unix:" + path}, Args: []string{"--umask", umask}})
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != mode {
				t.Errorf("umask %s: %v, %v", umask, info.Mode(), err)
			}
		}
	})
}

// fd://N serves a socket that somebody else opened; it stays theirs.
func TestInheritedDescriptor(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		path := filepath.Join(shortDir(t), "s")
		for _, address := range []string{"tcp:127.0.0.1:0", "unix:" + path} {
			network, name, _ := strings.Cut(address, ":")
			listener, err := net.Listen(network, name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { listener.Close() })
			file, err := listener.(interface{ File() (*os.File, error) }).File()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { file.Close() })
			s := Start(t, Options{App: "hello", Kind: kind, Files: []*os.File{file}, Bind: []string{"fd://3"}})
			if _, got := s.Address(); got != listener.Addr().String() {
				t.Errorf("listening at %s, inherited %s", got, listener.Addr())
			}
			s.Get("/").Want(t, 200, "Hello, world!\n")
			if network == "unix" {
				s.notOurs(path)
			}
		}
	})
}

// --reuse-port: every worker has its own socket on the port; two servers may share it.
func TestReusePort(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		address := "127.0.0.1:" + freePort(t)
		options := Options{App: "process", Kind: kind, Workers: 2, Bind: []string{address}, Args: []string{"--reuse-port"}}
		one, two := Start(t, options), Start(t, options)
		masters := map[bool]int{}
		eventually(t, "both servers are chosen by the kernel", func() bool {
			pid := one.process().PID
			masters[readProcess(pid).group == one.PID]++
			return masters[true] > 0 && masters[false] > 0
		})
		one.KillWorker(one.Workers()[0])
		one.WaitWorkers(2)
		for range 50 {
			two.process()
		}
	})
}

func TestBacklogAcceptsWhileBusy(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "process", Kind: kind, Env: []string{gate.Env()}})
		var held []*Conn
		var visitors []*Visitor
		for range kind.Threads {
			c := s.Dial()
			c.Send(get("/gate"))
			held = append(held, c)
			visitors = append(visitors, gate.Await())
		}
		var waiting []*Conn
		for range 10 {
			c := s.Dial()
			c.Send(get("/"))
			waiting = append(waiting, c)
		}
		for _, visitor := range visitors {
			visitor.Release()
		}
		for i, c := range append(held, waiting...) {
			if r := c.Next("GET"); r.Status != 200 {
				t.Errorf("request %d: %d", i, r.Status)
			}
		}
	})
}

// A worker that is busy leaves new connections to its idle siblings.
func TestIdleWorkerTakesTheWork(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "process", Kind: kind, Workers: 2, Env: []string{gate.Env()}})
		pids := map[int]bool{}
		var visitors []*Visitor
		var held []*Conn
		for range kind.Threads {
			c := s.Dial()
			c.Send(get("/gate"))
			held = append(held, c)
			visitors = append(visitors, gate.Await())
		}
		for range 30 {
			pids[s.process().PID] = true
		}
		for i, visitor := range visitors {
			visitor.Release()
			var report processReport
			held[i].Next("GET").JSON(t, &report)
			pids[report.PID] = true
		}
		if len(pids) != 2 {
			t.Errorf("served by %s", fmt.Sprint(pids))
		}
	})
}
