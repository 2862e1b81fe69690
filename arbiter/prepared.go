package arbiter

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// Prepared is a forkserver that no generation has yet: it has evaluated the Python config file, with whatever that
// does, and goes on to serve with the outcome. It is used by one Run, or discarded.
type Prepared struct {
	// Outcome is what the file sets: Settings, Others and Warnings of the event count.
	Outcome wire.Event

	pid                 int
	conn                *net.UnixConn
	reader              *wire.Reader
	programmed          bool // it has its program
	file                wire.ConfigFile
	library, executable string
}

// PrepareOrder says which forkserver is to evaluate which file.
type PrepareOrder struct {
	Program             func() []byte // as in Options
	Library, Executable string
	Argv                []string
	// Spec is PATH or python:MODULE; Directory is where relative names begin; Names are the settings that there are.
	Spec, Directory string
	Names           []string
	// Limit bounds the evaluation; 0 means none.
	Limit time.Duration
}

// FileError is a Python config file that cannot be used.
type FileError struct {
	Cause     string
	Traceback string // of the file's own code; "" if it has no part in it
	// Code is the exit code that the file asks for with sys.exit(), else 1.
	Code int
}

func (e *FileError) Error() string {
	if e.Traceback == "" {
		return e.Cause
	}
	return e.Cause + "\n" + e.Traceback
}

// Prepare starts a forkserver that evaluates a Python config file, and waits for the outcome. A *FileError says what is
// wrong with the file. It blocks; any goroutine may call it. Nobody may reap unknown children meanwhile.
func Prepare(order PrepareOrder) (*Prepared, error) {
	p, err := startForkserver(forkserverArgv(""), order.Library, order.Executable)
	if err != nil {
		return nil, err
	}
	p.file = wire.ConfigFile{Spec: order.Spec, Directory: order.Directory, Names: order.Names}
	p.library, p.executable = order.Library, order.Executable
	if err := p.evaluate(order); err != nil {
		p.Discard()
		var status unix.WaitStatus
		_, _ = unix.Wait4(p.pid, &status, 0, nil)
		return nil, err
	}
	return p, nil
}

func (p *Prepared) evaluate(order PrepareOrder) error {
	if order.Limit > 0 {
		_ = p.conn.SetDeadline(time.Now().Add(order.Limit))
	}
	err := wire.SendProgram(p.conn, order.Program())
	if err == nil {
		err = wire.Send(p.conn, wire.Command{Command: wire.CommandConfigure, File: &p.file, Argv: order.Argv})
	}
	if err == nil {
		err = p.reader.Next(&p.Outcome)
	}
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return &FileError{Code: exitError, Cause: fmt.Sprintf("The config file %s did not come to an end within %s.",
			order.Spec, order.Limit)}
	case err != nil:
		return fmt.Errorf("the forkserver died while it evaluated the config file %s: %w", order.Spec, err)
	case p.Outcome.Event == wire.EventFailed:
		return &FileError{Code: p.Outcome.Code, Cause: p.Outcome.Error, Traceback: p.Outcome.Traceback}
	case p.Outcome.Event != wire.EventConfigured:
		return fmt.Errorf("the forkserver answered %q to the config file %s", p.Outcome.Event, order.Spec)
	}
	p.programmed = true
	return p.conn.SetDeadline(time.Time{})
}

// Discard ends a forkserver that nobody will use. Whoever reaps children reaps it.
func (p *Prepared) Discard() {
	if p == nil {
		return
	}
	if !p.programmed { // it may hang in the file; else it ends by itself, and what the file has started before it
		_ = unix.Kill(p.pid, unix.SIGKILL)
	}
	_ = p.conn.Close()
}
