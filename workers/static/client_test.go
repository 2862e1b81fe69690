package static

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/protocol/http1"
)

// pair is a connection: the server's end, which does not block, and the client's.
func pair(t *testing.T) (server int, client *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		t.Fatal(err)
	}
	client = os.NewFile(uintptr(fds[1]), "client")
	t.Cleanup(func() {
		unix.Close(fds[0])
		client.Close()
	})
	return fds[0], client
}

// target is a file below a root.
func target(t *testing.T, name, text string) *Target {
	t.Helper()
	root, err := OpenRoot(tree(t, map[string]string{name: text}))
	if err != nil {
		t.Fatal(err)
	}
	return &Target{root: root, name: name}
}

func get(headers ...http1.Header) *Request {
	return NewRequest(&http1.Request{Method: []byte("GET"), Minor: 1, Headers: headers}, true)
}

// What the socket does not take at once is left, be it of the file or of the head, and nothing is lost in between.
func TestRest(t *testing.T) {
	large := strings.Repeat("0123456789", 300_000)
	file := target(t, "large", large)
	for _, filled := range []bool{false, true} {
		server, client := pair(t)
		if filled {
			for _, err := unix.Write(server, make([]byte, 100)); err == nil; {
				_, err = unix.Write(server, make([]byte, 100))
			}
		}
		r, err := get().Serve(Client{FD: server}, file, 0)
		if err != nil || r.Rest.File == nil || r.Bytes != int64(len(large)) || r.Rest.To != r.Bytes {
			t.Fatalf("%v, %d bytes, rest %+v", err, r.Bytes, r.Rest)
		}
		if head := len(r.Rest.Bytes) > 0; head != filled {
			t.Errorf("%d bytes of the head are left", len(r.Rest.Bytes))
		}
		unix.Shutdown(server, unix.SHUT_WR)
		got, _ := io.ReadAll(client)
		got = append(bytes.TrimLeft(got, "\x00"), r.Rest.Bytes...)
		rest, _ := io.ReadAll(io.NewSectionReader(r.Rest.File, r.Rest.From, r.Rest.To-r.Rest.From))
		if want := string(r.Head) + large; string(got)+string(rest) != want {
			t.Errorf("%d bytes and %d, want %d", len(got), len(rest), len(want))
		}
		r.Rest.File.Close()
	}
}

// partlyCold is a file of which only the first page is in memory, if its file system does such things.
func partlyCold(t *testing.T, size int) *Target {
	t.Helper()
	file := target(t, "large", strings.Repeat("x", size))
	f, err := file.open("")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd := int(f.Fd())
	if err := unix.Fsync(fd); err != nil {
		t.Fatal(err)
	}
	unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED)
	unix.Fadvise(fd, 0, 0, unix.FADV_RANDOM) // nothing is read ahead
	if _, err := f.ReadAt(make([]byte, 1), 0); err != nil {
		t.Fatal(err)
	}
	return file
}

// A file whose beginning is in memory and whose end is not is left to those who may wait for a disk.
func TestPartlyCold(t *testing.T) {
	const size = 3_000_000
	f, err := partlyCold(t, size).open("") // another one than is sent: the kernel may fetch what is asked for
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if c := (&content{file: f}); c.lacks(0) || !c.lacks(size-1) {
		t.Skip("the file system keeps its files in memory, or does not say")
	}
	for range 20 { // the kernel may keep what it is told to forget
		server, _ := pair(t)
		r, err := get().Serve(Client{FD: server}, partlyCold(t, size), 0)
		if err != nil {
			t.Fatal(err)
		}
		left := r.Rest.File != nil && r.Rest.From == 0 && len(r.Rest.Bytes) == len(r.Head)
		r.Abandon()
		if left {
			return
		}
	}
	t.Error("the file is always sent at once")
}

// A rest that nobody can send is not counted as sent, and its file is closed.
func TestAbandon(t *testing.T) {
	server, client := pair(t)
	r, err := get().Serve(Client{FD: server}, target(t, "large", strings.Repeat("x", 3_000_000)), 0)
	if err != nil || r.Rest.File == nil {
		t.Fatalf("%v, rest %+v", err, r.Rest)
	}
	file := r.Rest.File
	r.Abandon()
	unix.Shutdown(server, unix.SHUT_WR)
	got, _ := io.ReadAll(client)
	if body := int64(len(got) - len(r.Head)); r.Bytes != body || body == 0 || !r.Rest.IsEmpty() {
		t.Errorf("%d bytes, sent %d, rest %+v", r.Bytes, body, r.Rest)
	}
	if err := file.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file was open: %v", err)
	}
}

// A part of a file that is taken at once leaves nothing; several parts are for a client that is waited for.
func TestRanges(t *testing.T) {
	file := target(t, "a.txt", "0123456789")
	for value, want := range map[string]string{"bytes=2-4": "234", "bytes=-1": "9", "bytes=0-0,2-3": "\r\n\r\n23\r\n"} {
		server, client := pair(t)
		q := get(http1.Header{Name: []byte("Range"), Value: []byte(value)})
		to := Client{FD: server}
		if q.IsLong() != strings.Contains(value, ",") {
			t.Errorf("%s: IsLong %v", value, q.IsLong())
		}
		if q.IsLong() {
			to.Write = func(p []byte) error { _, err := unix.Write(server, p); return err }
		}
		r, err := q.Serve(to, file, 0)
		unix.Shutdown(server, unix.SHUT_WR)
		got, _ := io.ReadAll(client)
		if err != nil || r.Status != 206 || !r.Rest.IsEmpty() || !strings.Contains(string(got[len(r.Head):]), want) ||
			r.Bytes != int64(len(got)-len(r.Head)) {
			t.Errorf("%s: %v, %d %q, rest %+v", value, err, r.Status, got, r.Rest)
		}
	}
}

// A file that becomes shorter while several parts of it are sent ends the connection: its head has told another length.
func TestRangesOfShorterFile(t *testing.T) {
	dir := tree(t, map[string]string{"a": strings.Repeat("x", 3_000_000)})
	root, err := OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	q := get(http1.Header{Name: []byte("Range"), Value: []byte("bytes=0-9,10-2999999")})
	r, err := q.Serve(Client{FD: -1, Write: func(p []byte) error {
		return os.Truncate(filepath.Join(dir, "a"), 1_000_000)
	}}, &Target{root: root, name: "a"}, 0)
	if !errors.Is(err, ErrShort) || r.Status != 206 {
		t.Errorf("status %d, %d bytes, %v", r.Status, r.Bytes, err)
	}
}

// A client that is gone is an error, whatever of the file it has taken.
func TestClientGone(t *testing.T) {
	server, client := pair(t)
	client.Close()
	r, err := get().Serve(Client{FD: server}, target(t, "a", "text"), 0)
	if err == nil || r.Rest.File != nil || r.Bytes != 0 {
		t.Errorf("%v, %d bytes, file %v", err, r.Bytes, r.Rest.File)
	}
}

// A file that cannot be opened for want of descriptors is not said to be missing: caches would keep that.
func TestNoDescriptors(t *testing.T) {
	file := target(t, "small", "x")
	server, client := pair(t)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 1
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	r, err := get().Serve(Client{FD: server}, file, 0)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err != nil || r.Status != 503 || !errors.Is(r.Cause, unix.EMFILE) {
		t.Errorf("status %d, cause %v, error %v", r.Status, r.Cause, err)
	}
	head := make([]byte, 12)
	if _, err := io.ReadFull(client, head); err != nil || string(head) != "HTTP/1.1 503" {
		t.Errorf("%q, %v", head, err)
	}
}
