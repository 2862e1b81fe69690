package workers

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/wire"
)

const (
	noteMax = 256 << 10 // bytes of one note; the Python side keeps below
	// hookGrace bounds the hooks of a worker that leaves at once: gunicorn's master kills it soon after.
	hookGrace = time.Second
	// abortGrace is what worker_abort and worker_exit get together: the master kills a second after SIGABRT.
	abortGrace = 400 * time.Millisecond
	// lastNotes bounds the reading of what was written before the end.
	lastNotes = 200 * time.Millisecond
)

// notes is the channel between the worker and its Python code, which must not call into Go: datagrams on a socket pair.
// Python sends log lines of hooks and requests to the master; Go sends names of hooks to run, for as long as there may
// be no Python thread free to run them, Python has one that waits for those.
type notes struct {
	w       *worker
	conn    *net.UnixConn
	python  int // Python's end, to be handed over
	copy    int // of Python's end: what is written here comes after all that Python wrote
	mu      sync.Mutex
	waiting map[string]chan struct{} // hooks that run, by name
	ended   chan struct{}
}

// note is one message from Python.
type note struct {
	Note  string `json:"note"`
	Level string `json:"level"` // of "log"
	Text  string `json:"text"`  // of "log"
	Hook  string `json:"hook"`  // of "done"
}

// openNotes makes the channel and begins to read it.
func (w *worker) openNotes() error {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("creating the channel of notes: %w", err)
	}
	ours := os.NewFile(uintptr(fds[0]), "notes")
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return fmt.Errorf("creating the channel of notes: %w", err)
	}
	second, err := unix.FcntlInt(uintptr(fds[1]), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("creating the channel of notes: %w", err)
	}
	w.notes = &notes{
		w: w, conn: conn.(*net.UnixConn), python: fds[1], copy: second,
		waiting: map[string]chan struct{}{}, ended: make(chan struct{}),
	}
	go w.notes.read()
	return nil
}

func (n *notes) read() {
	buffer := make([]byte, noteMax)
	for {
		size, err := n.conn.Read(buffer)
		if err != nil {
			return
		}
		var message note
		if err := json.Unmarshal(buffer[:size], &message); err != nil {
			n.w.log.Error("A note of the application cannot be read: %v", err)
			continue
		}
		n.obey(&message)
	}
}

func (n *notes) obey(message *note) {
	switch message.Note {
	case "log":
		n.log(message.Level, message.Text)
	case "reload":
		_ = n.w.tell(&wire.Event{Event: wire.EventReload}) // a master that is gone reloads nothing
	case "leave":
		n.w.stop(true)
	case "done":
		n.mu.Lock()
		if done := n.waiting[message.Hook]; done != nil {
			delete(n.waiting, message.Hook)
			close(done)
		}
		n.mu.Unlock()
	case "end":
		close(n.ended)
	}
}

func (n *notes) log(level, text string) {
	switch level {
	case "debug":
		n.w.log.Debug("%s", text)
	case "info":
		n.w.log.Info("%s", text)
	case "warning":
		n.w.log.Warning("%s", text)
	case "error":
		n.w.log.Error("%s", text)
	default:
		n.w.log.Critical("%s", text)
	}
}

// run has Python's own thread for that run a hook, and waits for it. It gives up after the limit: the interpreter may
// be held by somebody who does not let go.
func (n *notes) run(hook string, limit time.Duration) {
	done := make(chan struct{})
	n.mu.Lock()
	n.waiting[hook] = done
	n.mu.Unlock()
	_ = n.conn.SetWriteDeadline(time.Now().Add(limit))
	if _, err := n.conn.Write([]byte(hook)); err != nil {
		return
	}
	select {
	case <-done:
	case <-time.After(limit):
		n.w.log.Warning("The hook %s did not end within %s", hook, limit)
	}
}

// finish reads what was written until now.
func (n *notes) finish() {
	if n == nil {
		return
	}
	if err := unix.SetNonblock(n.copy, true); err != nil {
		return
	}
	if _, err := unix.Write(n.copy, []byte(`{"note":"end"}`)); err != nil {
		return
	}
	select {
	case <-n.ended:
	case <-time.After(lastNotes):
	}
}
