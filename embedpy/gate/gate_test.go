// Package gate holds a bound on what a request costs in the C layer, in instructions: counts, which do not depend on
// how busy the machine is.
package gate

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/embedpy/libpython"
	"github.com/pyhost/pyhost/embedpy/python"
	"github.com/pyhost/pyhost/protocol/http1"
	"github.com/pyhost/pyhost/workers/wire"
	"github.com/pyhost/pyhost/wsgi"
)

var (
	write = flag.Bool("write", false, "write the bounds for this Python and compiler instead of checking them")
	keep  = flag.String("keep", "", "build there, and leave callgrind's files there for callgrind_annotate")
)

const (
	applications = "../../pyapps/bench_wsgi" // its module is app
	warmUps      = 50                        // caches, the specialising interpreter
	repeats      = 200
)

// request is one case of the script: the callable of the application, and what the client sends.
type request struct{ name, callable, wire, answer string }

var requests = []request{
	{"hello", "hello", "GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n", "\r\n\r\nHello, World!\n"},
	{"30 headers", "hello", "GET /items?page=2 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n" + headers() + "\r\n",
		"\r\n\r\nHello, World!\n"},
	{"POST 10 kB", "echo", "POST / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nContent-Type: text/plain\r\n" +
		"Content-Length: 10000\r\n\r\n" + strings.Repeat("0123456789", 1000), "0123456789"},
	{"generator of 10", "generator", "GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n", "\r\n0\r\n\r\n"},
}

// headers are 29, most of them known to Keys, some not; a browser's and a proxy's.
func headers() string {
	var b strings.Builder
	for _, line := range []string{
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Encoding: gzip, deflate, br",
		"Accept-Language: en-GB,en;q=0.7", "Cache-Control: max-age=0", "Pragma: no-cache", "DNT: 1", "Via: 1.1 edge",
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0",
		"Referer: https://shop.example.com/items?page=1", "Upgrade-Insecure-Requests: 1", "Sec-Fetch-Dest: document",
		"Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: same-origin", "Sec-Fetch-User: ?1", `Sec-CH-UA-Platform: "Linux"`,
		"Sec-CH-UA-Mobile: ?0", "X-Real-IP: 203.0.113.7", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https",
		"X-Forwarded-Host: shop.example.com", "X-Forwarded-Port: 443", "X-Request-Start: t=1700000000.123",
		"X-Request-ID: 6a8f3c1e9b2d4f60a7c5e8d1b3f2a496", `If-None-Match: "5f3a9c7b"`, "Priority: u=0, i",
		"Cookie: csrftoken=4f1c9a7e2b6d8053f1a2c4e6d8b0a2c4; sessionid=9b8a7c6d5e4f3021a1b2c3d4e5f60718; theme=dark",
		"X-My-Own-Header: something", "X-Another-Header: of this site", "X-Third-Header: and more",
	} {
		b.WriteString(line + "\r\n")
	}
	return b.String()
}

// TestInstructionsPerRequest runs the script under callgrind and compares with testdata/bounds.json.
func TestInstructionsPerRequest(t *testing.T) {
	valgrind, compiler := tool(t, "valgrind"), tool(t, "cc")
	library, err := libpython.Locate(os.Getenv("PYTHON"), os.Getenv)
	if err != nil {
		missing(t, err.Error())
	}
	dir := *keep
	if dir == "" {
		dir = t.TempDir()
	}
	build(t, compiler, dir)
	answers := run(t, valgrind, dir, library)
	counts := map[string]count{}
	for i, r := range requests {
		if !strings.HasPrefix(answers[i], "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(answers[i], r.answer) {
			t.Fatalf("%s: answered %.300q", r.name, answers[i])
		}
		counts[r.name] = counted(t, filepath.Join(dir, fmt.Sprintf("callgrind.out.%d", i+1)))
	}
	who := describe(t, compiler, library)
	if *write {
		writeBounds(t, who, counts)
		return
	}
	checkBounds(t, who, counts)
}

// missing skips the test; in CI, and where bounds are to be written, that something is missing is a failure.
func missing(t *testing.T, what string) {
	t.Helper()
	if *write || os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// tool finds a program.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is not installed; Debian, Ubuntu: apt install valgrind gcc")
	}
	return path
}

// build links the driver with the C layer as cgo compiles it.
func build(t *testing.T, compiler, dir string) {
	t.Helper()
	sources, err := filepath.Glob("../*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no C files: %v", err)
	}
	args := []string{"-std=gnu11", "-O2", "-g", "-I..", "-o", filepath.Join(dir, "driver"), "testdata/driver.c"}
	command := exec.Command(compiler, append(append(args, sources...), "-ldl", "-lpthread")...)
	output, err := command.CombinedOutput()
	if bytes.Contains(output, []byte("valgrind/callgrind.h")) {
		missing(t, "valgrind's headers are not installed; Fedora: dnf install valgrind-devel")
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, output)
	}
}

// run sends the script and returns the first answer of each case.
func run(t *testing.T, valgrind, dir string, library libpython.Library) []string {
	t.Helper()
	script, keys := filepath.Join(dir, "script"), filepath.Join(dir, "keys")
	var all bytes.Buffer
	for _, r := range requests {
		appendCase(t, &all, r)
	}
	for path, content := range map[string][]byte{
		script: all.Bytes(), keys: []byte(strings.Join(wsgi.Keys, "\x00") + "\x00"),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	source := program(t)
	command := exec.Command(valgrind, "--tool=callgrind", "--instr-atstart=no", "--toggle-collect=ph_call",
		"--callgrind-out-file="+filepath.Join(dir, "callgrind.out"), filepath.Join(dir, "driver"), script, keys)
	// Which strings collide in a dict is chance otherwise.
	command.Env = append(os.Environ(), "PYTHONHASHSEED=0", wire.EnvForkserver+"=0",
		wire.EnvLibPython+"="+library.Path, wire.EnvProgram+"="+library.Executable)
	command.Stdin = io.MultiReader(bytes.NewReader(binary.LittleEndian.AppendUint32(nil, uint32(len(source)))),
		bytes.NewReader(source))
	var said, complaints bytes.Buffer
	command.Stdout, command.Stderr = &said, &complaints
	if err := command.Run(); err != nil {
		t.Fatalf("%v\n%s", err, complaints.String())
	}
	return split(t, bufio.NewReader(&said))
}

// program is the forkserver's, but for its end: it does not fork, the process itself becomes the worker.
func program(t *testing.T) []byte {
	t.Helper()
	directory, err := filepath.Abs(applications)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load([]string{"app:hello"}, func(string) string { return "" }, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	listeners := []wire.Listener{{Address: "127.0.0.1:8000", Network: "tcp", Name: "127.0.0.1", Port: "8000"}}
	boot, err := json.Marshal(wire.WorkerBoot{Config: settings, Listeners: listeners})
	if err != nil {
		t.Fatal(err)
	}
	const main = "sys.modules['_pyhost_forkserver'].main()\n"
	source := string(python.Program("pyhost/gate"))
	if !strings.HasSuffix(source, main) {
		t.Fatal("the program does not end in main()")
	}
	return fmt.Appendf(nil, "%simport _pyhost\nsys.path.insert(0, %q)\n_pyhost.become_worker(%q.encode(), ())\n",
		strings.TrimSuffix(source, main), directory, boot)
}

// appendCase adds a request in the form that driver.c describes.
func appendCase(t *testing.T, to *bytes.Buffer, r request) {
	t.Helper()
	limits := http1.Limits{RequestLine: 4094, Fields: 100, FieldSize: 8190}
	parsed := &http1.Request{}
	n, err := http1.NewParser(limits).Parse([]byte(r.wire), parsed)
	if err != nil {
		t.Fatal(err)
	}
	var frames [2]wsgi.Frame
	for i, port := range []string{"54321", "54322"} {
		peer := wsgi.Conn{RemoteAddr: []byte("127.0.0.1"), RemotePort: []byte(port)}
		if err := wsgi.NewEncoder(wsgi.Rules{}).Encode(&frames[i], parsed, &peer); err != nil {
			t.Fatal(err)
		}
	}
	body := r.wire[n:]
	u32 := func(n int) { to.Write(binary.NativeEndian.AppendUint32(nil, uint32(n))) }
	u32(len(r.callable))
	to.WriteString(r.callable)
	for _, n := range []int{warmUps, repeats, frames[0].Entries, len(frames[0].Buf), len(body)} {
		u32(n)
	}
	to.Write(frames[0].Buf)
	to.Write(frames[1].Buf)
	to.WriteString(body)
}

// split undoes the driver's framing of the answers.
func split(t *testing.T, from *bufio.Reader) (answers []string) {
	t.Helper()
	for range requests {
		line, err := from.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		length, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, length)
		if _, err := io.ReadFull(from, answer); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, string(answer))
	}
	return answers
}
