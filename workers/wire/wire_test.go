package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/config"
	"golang.org/x/sys/unix"
)

// pair is a connected pair of stream sockets, closed at the end of the test.
func pair(t *testing.T) (left, right *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	conns := [2]*net.UnixConn{}
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "pair")
		conn, err := net.FileConn(file)
		_ = file.Close()
		if err != nil {
			t.Fatal(err)
		}
		conns[i] = conn.(*net.UnixConn)
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conns[0], conns[1]
}

func TestMessagesOnTheWire(t *testing.T) {
	boot := &WorkerBoot{Slot: 0, Age: 2, Generation: 1, MasterPID: 9, Config: &config.Config{App: "m:a"}}
	tests := []struct {
		name    string
		message any
		want    []string
		absent  []string
	}{
		{"stop", Command{Command: CommandStop, Graceful: true}, []string{`{"command":"stop","graceful":true}`}, nil},
		{"quick stop", Command{Command: CommandStop}, []string{`{"command":"stop"}`}, nil},
		{"boot", Command{Command: CommandBoot, Config: boot.Config, Argv: []string{"pyhost", "m:a"}},
			[]string{`"argv":["pyhost","m:a"]`, `"config":{"wsgi_app":"m:a"`}, []string{`"worker"`}},
		{"fork", Command{Command: CommandFork, Worker: boot},
			[]string{`"worker":{"slot":0,"age":2,"generation":1,"master_pid":9,`}, []string{`"argv"`}},
		{"forked", Event{Event: EventForked, Slot: 3, Age: 4, PID: 5},
			[]string{`{"event":"forked","slot":3,"age":4,"pid":5}`}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text, err := json.Marshal(test.message)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(string(text), want) {
					t.Errorf("%s\nlacks %s", text, want)
				}
			}
			for _, absent := range test.absent {
				if strings.Contains(string(text), absent) {
					t.Errorf("%s\nhas %s", text, absent)
				}
			}
		})
	}
}

func TestSendAndNext(t *testing.T) {
	left, right := pair(t)
	// Longer than the reader's buffer and than the socket's: it needs several reads and several writes.
	long := Event{Event: EventFailed, Code: ExitBootError, Error: "boom", Traceback: strings.Repeat("line\n", 100_000)}
	events := []Event{{Event: EventReady, Python: "3.11.7"}, long, {Event: EventExited, PID: 7, Status: 0x300}}
	sent := make(chan error, 1)
	go func() {
		for _, event := range events {
			if err := Send(left, event); err != nil {
				sent <- err
				return
			}
		}
		sent <- left.Close()
	}()
	reader := NewReader(right)
	for _, want := range events {
		var got Event
		if err := reader.Next(&got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %.80v, want %.80v", got, want)
		}
	}
	if err := reader.Next(&Event{}); err != io.EOF {
		t.Errorf("at the end: %v, want EOF", err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func TestSendDescriptors(t *testing.T) {
	left, right := pair(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if err := Send(left, Command{Command: CommandFork}, int(write.Fd())); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	line, rights := make([]byte, 100), make([]byte, 100)
	n, oobn, _, _, err := right.ReadMsgUnix(line, rights)
	if err != nil {
		t.Fatal(err)
	}
	if string(line[:n]) != "{\"command\":\"fork\"}\n" {
		t.Errorf("line %q", line[:n])
	}
	messages, err := unix.ParseSocketControlMessage(rights[:oobn])
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d control messages, %v", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		t.Fatalf("%d descriptors, %v", len(fds), err)
	}
	copied := os.NewFile(uintptr(fds[0]), "copy")
	if _, err := copied.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	_ = copied.Close()
	if got, err := io.ReadAll(read); string(got) != "x" || err != nil {
		t.Errorf("through the descriptor came %q, %v", got, err)
	}
}

func TestSendProgram(t *testing.T) {
	left, right := pair(t)
	if err := SendProgram(left, []byte("import os\n")); err != nil {
		t.Fatal(err)
	}
	_ = left.Close()
	got, err := io.ReadAll(right)
	if err != nil || len(got) != 14 || binary.LittleEndian.Uint32(got) != 10 || string(got[4:]) != "import os\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestNextFailures(t *testing.T) {
	tests := []struct {
		name, input string
		is          error
		says        string
	}{
		{"nothing", "", io.EOF, ""},
		{"cut line", `{"event":"rea`, io.ErrUnexpectedEOF, ""},
		{"no JSON", "ready\n", nil, "decoding a message"},
		{"wrong type", `{"event":7}` + "\n", nil, "decoding a message"},
		{"endless line", strings.Repeat("x", MaxLine+1), ErrLineTooLong, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			left, right := pair(t)
			go func() {
				_, _ = left.Write([]byte(test.input))
				_ = left.Close()
			}()
			err := NewReader(right).Next(&Event{})
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("got %v, want %v", err, test.is)
			}
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %q in it", err, test.says)
			}
		})
	}
}

func TestSendRefusesLongMessages(t *testing.T) {
	left, right := pair(t)
	if err := Send(left, Event{Traceback: strings.Repeat("x", MaxLine)}); err == nil {
		t.Error("a message of more than 1 MiB was sent")
	}
	_ = left.Close()
	if err := NewReader(right).Next(&Event{}); err != io.EOF {
		t.Errorf("the peer got %v, want nothing", err)
	}
}

func TestSendToClosedPeer(t *testing.T) {
	left, right := pair(t)
	_ = right.Close()
	if err := Send(left, Command{Command: CommandStop}); !errors.Is(err, unix.EPIPE) {
		t.Errorf("got %v, want EPIPE", err)
	}
}
