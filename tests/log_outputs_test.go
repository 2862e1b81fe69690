package tests

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// datagrams listens and returns its address, and a function that reports everything that came so far.
func datagrams(t *testing.T, network, address string) (string, func() string) {
	t.Helper()
	listener, err := net.ListenPacket(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var all strings.Builder
	buffer := make([]byte, 64<<10)
	return listener.LocalAddr().String(), func() string {
		for {
			if err := listener.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			n, _, err := listener.ReadFrom(buffer)
			if err != nil {
				return all.String()
			}
			all.Write(append(buffer[:n], '\n'))
		}
	}
}

func eventuallyMatches(t *testing.T, received func() string, pattern string) {
	t.Helper()
	expression := regexp.MustCompile(pattern)
	eventually(t, "match of "+pattern, func() bool { return expression.MatchString(received()) })
}

func TestSyslogOverUDP(t *testing.T) {
	t.Parallel()
	address, received := datagrams(t, "udp", "127.0.0.1:0")
	s := Start(t, Options{App: "exceptions", Args: []string{"--log-syslog", "--log-syslog-to", "udp://" + address,
		"--log-syslog-prefix", "shop", "--log-syslog-facility", "local3"}})
	s.Expect("Error handling request")
	s.Get("/raise_before_start/value?q=1")
	pid := itoa(s.Workers()[0])
	// local3 is 19; error 3, info 6.
	eventuallyMatches(t, received, `(?m)^<158>gunicorn\.shop\.error: \[\d+\] Listening at: http://`)
	eventuallyMatches(t, received, `(?m)^<155>gunicorn\.shop\.error: \[`+pid+
		`\] Error handling request GET /raise_before_start/value`)
	eventuallyMatches(t, received, `(?m)^<158>gunicorn\.shop\.access: \[`+pid+`\] 127\.0\.0\.1 - - \[[^]]*\] `+
		`"GET /raise_before_start/value\?q=1 HTTP/1\.1" 500 `)
}

func TestSyslogOnUnixSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(shortDir(t), "log")
	_, received := datagrams(t, "unixgram", path)
	s := Start(t, Options{App: "hello", Args: []string{"--log-syslog", "--log-syslog-to", "unix://" + path + "#dgram",
		"--disable-redirect-access-to-syslog"}})
	s.Get("/")
	// The application's name is the prefix.
	eventuallyMatches(t, received, `(?m)^<14>gunicorn\.wsgi\.application\.error: \[\d+\] Booting worker with pid`)
	if strings.Contains(received(), ".access:") {
		t.Error("the access log is in syslog")
	}
}

func TestSyslogOverTCP(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	lines := make(chan string, 1000)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				for scanner := bufio.NewScanner(connection); scanner.Scan(); {
					lines <- scanner.Text()
				}
			}()
		}
	}()
	s := Start(t, Options{App: "hello", Args: []string{"--log-syslog", "--log-syslog-to",
		"tcp://" + listener.Addr().String()}})
	s.Get("/found")
	all := ""
	eventually(t, "the access line over TCP", func() bool {
		for len(lines) > 0 {
			all += <-lines + "\n"
		}
		line := `(?m)^<14>gunicorn\.wsgi\.application\.access: \[\d+\] .*"GET /found HTTP/1.1" 200`
		return regexp.MustCompile(line).MatchString(all)
	})
}

// A syslog server that is not there is reported, and holds nobody up.
func TestSyslogIsDown(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "hello", Args: []string{"--log-syslog", "--log-syslog-to", "unix:///nonexistent/log"}})
	s.Allow(`Syslog at unixgram:///nonexistent/log: .*; \d+ messages lost`)
	s.Get("/").Want(t, 200, "Hello, world!\n")
	s.WaitLog(`\[WARNING\] Syslog at unixgram:///nonexistent/log: dial .* no such file .*; \d+ messages lost`, 1)
}

func TestStatsd(t *testing.T) {
	t.Parallel()
	address, received := datagrams(t, "udp", "127.0.0.1:0")
	s := Start(t, Options{App: "exceptions", Args: []string{"--statsd-host", address, "--statsd-prefix", "web.",
		"--dogstatsd-tags", "env:test,az:a", "--enable-backlog-metric"}})
	s.Expect("Error handling request")
	s.Get("/pid/")
	s.Get("/raise_before_start/value")
	for _, metric := range []string{
		`web\.gunicorn\.workers:1\|g`, `web\.gunicorn\.requests:1\|c`, `web\.gunicorn\.request\.duration:\d+(\.\d+)?\|ms`,
		`web\.gunicorn\.request\.status\.200:1\|c`, `web\.gunicorn\.request\.status\.500:1\|c`,
		`web\.gunicorn\.log\.exception:1\|c`, `web\.gunicorn\.backlog:\d+\|ms`,
	} {
		eventuallyMatches(t, received, `(?m)^`+metric+`\|#env:test,az:a$`)
	}
}

// Neither a full disk nor a pipe that nobody reads holds a request up, and what is lost is told.
func TestLogsThatTakeNothing(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		fifo := filepath.Join(t.TempDir(), "fifo")
		if err := unix.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		for name, path := range map[string]string{"full": "/dev/full", "fifo": fifo} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := Start(t, Options{App: "hello", Kind: kind, Args: []string{"--access-logfile", path,
					"--access-logformat", "%(r)s " + strings.Repeat("x", 4000)}})
				s.Expect(`Access log: .*; \d+ lines lost`)
				for range 40 { // more than a pipe holds
					s.Get("/").Want(t, 200, "Hello, world!\n")
				}
				s.WaitLog(`\[ERROR\] Access log: writing access log: .*; \d+ lines lost`, 1)
			})
		}
	})
}

// The error log on a pipe that nobody reads: errors are lost, requests are not.
func TestErrorLogThatTakesNothing(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	s := Start(t, Options{App: "exceptions", Bind: []string{"unix:" + filepath.Join(shortDir(t), "s")}, Cold: true,
		Args: []string{"--error-logfile", fifo}})
	eventually(t, "the server listens", func() bool {
		_, err := s.TryDial(s.options.Bind[0])
		return err == nil
	})
	s.Addresses = s.options.Bind
	long := strings.Repeat("x", 3000)
	for range 60 {
		if r := s.Get("/raise_before_start/" + long); r.Status != 500 {
			t.Fatalf("status %d", r.Status)
		}
	}
}

// logrotate that sends no signal: a renamed file is left within a second or so.
func TestRenamedLogsAreLeft(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	errorLog, accessLog := filepath.Join(directory, "error.log"), filepath.Join(directory, "access.log")
	s := Start(t, Options{App: "exceptions", Cold: true,
		Args: []string{"--error-logfile", errorLog, "--access-logfile", accessLog}})
	s.FollowLog(errorLog)
	s.AwaitReady()
	s.Expect("Error handling request")
	s.Get("/pid/")
	eventually(t, "a line", func() bool { return strings.Contains(contentOf(accessLog), "/pid/") })
	for _, path := range []string{errorLog, accessLog} {
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
	}
	s.FollowLog(errorLog + ".1")
	eventually(t, "new files", func() bool {
		s.Get("/raise_before_start/value")
		return strings.Contains(contentOf(accessLog), "/raise") && strings.Contains(contentOf(errorLog), "Error handling")
	})
}

func TestJSONLogs(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "exceptions", Kind: kind, Args: []string{"--log-format", "json",
			"--access-logfile", "-", "--access-logformat", "json", "--request-id-header", "X-Request-ID"}})
		s.Allow("Traceback")
		s.Do("POST /raise_before_start/value?a=%22 HTTP/1.1\r\nHost: test\r\n" +
			"Content-Length: 3\r\nUser-Agent: \"\\\r\n\r\nabc")
		eventually(t, "an access line", func() bool { return strings.Contains(s.Output(), "\n") })
		var access map[string]any
		if err := json.Unmarshal([]byte(strings.SplitN(s.Output(), "\n", 2)[0]), &access); err != nil {
			t.Fatalf("%v: %q", err, s.Output())
		}
		for key, want := range map[string]any{
			"method": "POST", "target": "/raise_before_start/value?a=%22", "path": "/raise_before_start/value",
			"query": "a=%22", "status": 500.0, "outcome": "failed", "bytes_in": 3.0, "user_agent": "\"\\",
			"remote_addr": "127.0.0.1", "protocol": "HTTP/1.1", "pid": float64(s.Workers()[0]),
		} {
			if access[key] != want {
				t.Errorf("%s is %v, want %v", key, access[key], want)
			}
		}
		found := false
		for _, line := range strings.Split(strings.TrimSpace(s.Log()), "\n") {
			var event map[string]any
			if err := json.Unmarshal([]byte(line), &event); err != nil {
				t.Errorf("%v: %q", err, line)
			}
			if event["exception"] != nil {
				found = true
				if event["level"] != "error" || event["exception"] != "ValueError" || event["worker"] != 1.0 ||
					event["request_id"] != access["request_id"] || access["request_id"] == nil ||
					!strings.HasPrefix(event["traceback"].(string), "Traceback (most recent call last):") ||
					!strings.HasPrefix(event["message"].(string), "Error handling request POST /raise") {
					t.Errorf("event %v", event)
				}
			}
		}
		if !found {
			t.Error("no event has an exception")
		}
	})
}

// A relative name of a log is seen from the directory of --chdir, and nothing is made where the server was started.
func TestLogsBelowChdir(t *testing.T) {
	t.Parallel()
	project := writeFiles(t, map[string]string{
		"logs/here": "",
		"wsgi.py":   "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'done']\n",
	})
	s := Start(t, Options{App: "hello", Dir: project, Cold: true, Args: []string{
		"--error-logfile", "logs/error.log", "--access-logfile", "logs/access.log", "--access-logformat", "%(U)s %(s)s"}})
	s.FollowLog(filepath.Join(project, "logs", "error.log"))
	s.AwaitReady()
	s.Get("/below").Want(t, 200, "done")
	eventually(t, "a line", func() bool {
		return strings.Contains(contentOf(filepath.Join(project, "logs", "access.log")), "/below 200\n")
	})
	if _, err := os.Stat("logs"); err == nil {
		t.Error("logs is where the server was started, too")
	}
}
