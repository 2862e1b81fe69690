package logging

import (
	"bytes"
	"sync"
	"time"
)

const (
	// bufferSize is how much is collected before it is written without waiting for flushDelay.
	bufferSize = 64 << 10
	// spareSize keeps the line that fills the buffer from growing it.
	spareSize = 16 << 10
	// maxQueue is how much waits for a target that is slow; lines beyond it are lost, and counted.
	maxQueue = 1 << 20
	// maxBuffer is the size beyond which a buffer that a huge line has grown is given back.
	maxBuffer = 4 * bufferSize
	// flushDelay bounds the time for which a line stays in the buffer.
	flushDelay = 100 * time.Millisecond
	// reportInterval is the least time between two calls of OnError.
	reportInterval = 10 * time.Second
	// pipeBuf is PIPE_BUF of Linux: up to so much a write to a pipe is never mixed with another process's.
	pipeBuf = 4096
)

// AccessLog is the access log (gunicorn's accesslog and access_log_format). All methods are safe for concurrent use
// and do nothing on a nil AccessLog, which is the disabled log.
//
// Lines are collected, and written by a goroutine when there are 64 KiB, 100 ms after the first of them, or on Flush.
// A process that is killed loses what it has collected. A write holds whole lines, so that processes can share one file
// or pipe. A target that takes nothing (a full disk, a pipe that nobody reads) costs lines, never a request's time.
//
// A file that was renamed or removed is noticed within a second of the next line and opened anew.
type AccessLog struct {
	// OnError, if not nil, is told of a write that failed and how many lines were lost since the last call, 0 where a
	// file cannot be opened anew and the old one goes on: at most once every 10 s, and on Close. It runs on the
	// thread that wrote, with no lock held. Set it before the first
	// Write.
	OnError func(err error, lost int)

	mu     sync.Mutex // guards the six below
	format *formatter
	buffer []byte
	timer  *time.Timer // armed while there is something in buffer; its goroutine exists only when it fires
	excess int         // lines for which there was no room in buffer
	closed bool
	line   []byte // of the record that goes to outputs

	outputs []accessOutput // besides target; fixed before the first Write

	writing sync.Mutex // guards the rest, and is taken before mu
	target  *target    // nil = outputs are all there is
	chunk   int        // most bytes of whole lines for one write; 0 = no limit
	full    []byte     // what is being written, while buffer fills again
	torn    bool       // the last line in the target lacks its end
	losses  losses
}

// accessOutput takes requests; line is the record in the log's form, without its newline. It keeps neither and does
// not wait.
type accessOutput interface {
	record(r *Record, line []byte)
	close(limit time.Duration)
}

// OpenAccess opens the access log. The target "-" is standard output, anything else a file, which is appended to and
// created with mode 0644 if need be; "" is no log: the result is nil. The format is gunicorn's access_log_format; ""
// is DefaultAccessFormat. An error names the cause and the remedy.
func OpenAccess(target, format string) (*AccessLog, error) {
	if target == "" {
		return nil, nil
	}
	if format == "" {
		format = DefaultAccessFormat
	}
	compiled, err := compile(format)
	if err != nil {
		return nil, err
	}
	t, err := openTarget(accessLog, target)
	if err != nil {
		return nil, err
	}
	return newAccessLog(t, compiled), nil
}

func newAccessLog(t *target, format *formatter) *AccessLog {
	a := &AccessLog{target: t, format: format, buffer: newBuffer(), full: newBuffer()}
	a.timer = time.AfterFunc(flushDelay, a.Flush)
	a.timer.Stop()
	if t != nil {
		a.chunk = t.chunk()
	}
	return a
}

func newBuffer() []byte { return make([]byte, 0, bufferSize+spareSize) }

// Write logs one request. It takes well under a microsecond and no memory, and never waits for the target. After Close
// it does nothing.
func (a *AccessLog) Write(r *Record) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	before := len(a.buffer)
	switch {
	case a.closed:
		return
	case a.outputs != nil && !a.pass(r):
		return
	case before >= maxQueue:
		a.excess++
		return
	case before == 0:
		a.timer.Reset(flushDelay)
	}
	a.buffer = a.format.appendLine(a.buffer, r)
	if before < bufferSize && len(a.buffer) >= bufferSize {
		a.timer.Reset(0)
	}
}

// pass gives a record to the outputs, and reports whether the log has a target as well.
func (a *AccessLog) pass(r *Record) bool {
	a.line = a.format.appendLine(a.line[:0], r)
	for _, output := range a.outputs {
		output.record(r, a.line[:len(a.line)-1])
	}
	return a.target != nil
}

// Flush writes what is buffered, now. It costs next to nothing when there is nothing.
func (a *AccessLog) Flush() {
	if a == nil || a.target == nil {
		return
	}
	a.writing.Lock()
	a.flush()
	report := a.losses.due(time.Now)
	a.writing.Unlock()
	a.report(report)
}

// Reopen opens the file again by its name, after it was rotated. What is buffered goes to the old file. On error the
// log goes on in the old file. For "-" it only flushes.
func (a *AccessLog) Reopen() error {
	if a == nil || a.target == nil {
		return nil
	}
	a.Flush()
	a.writing.Lock()
	defer a.writing.Unlock()
	if a.isClosed() { // the descriptor's number may belong to somebody else by now
		return nil
	}
	if err := a.target.reopen(); err != nil {
		return err
	}
	a.chunk = a.target.chunk()
	a.torn = a.torn && a.target.path == "" // a new file has no torn line
	return nil
}

// Close writes what is buffered and closes the file. Further calls do nothing.
func (a *AccessLog) Close() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	closed := a.closed
	a.closed = true
	a.mu.Unlock()
	if closed {
		return nil
	}
	for _, output := range a.outputs {
		output.close(writeWait)
	}
	if a.target == nil {
		return nil
	}
	a.writing.Lock()
	a.flush()
	report := a.losses.take()
	err := a.target.close()
	a.writing.Unlock()
	a.report(report)
	return err
}

func (a *AccessLog) isClosed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

// flush exchanges the buffers, so that requests go on while the target takes the lines.
func (a *AccessLog) flush() {
	a.mu.Lock()
	if len(a.buffer) > 0 {
		a.timer.Stop()
		a.buffer, a.full = a.full, a.buffer
	}
	excess := a.excess
	a.excess = 0
	a.mu.Unlock()
	if excess > 0 {
		a.losses.add(errFull, excess)
	}
	if len(a.full) == 0 {
		return
	}
	if moved, err := a.target.follow(time.Now()); err != nil {
		a.losses.add(err, 0)
	} else if moved {
		a.torn = false
	}
	if lost, err := a.writeLines(a.full); err != nil {
		a.losses.add(err, lost)
	}
	a.full = a.full[:0]
	if cap(a.full) > maxBuffer {
		a.full = newBuffer()
	}
}

// writeLines writes whole lines. After an error it gives up the rest: waiting would stop the requests.
func (a *AccessLog) writeLines(p []byte) (lost int, err error) {
	if a.torn {
		// The next line must not continue the half of one that was cut off.
		if _, err := a.target.write(newline); err != nil {
			return bytes.Count(p, newline), err
		}
		a.torn = false
	}
	for len(p) > 0 {
		n, err := a.target.write(p[:wholeLines(p, a.chunk)])
		if err != nil {
			a.torn = n > 0 && p[n-1] != '\n'
			return bytes.Count(p[n:], newline), err
		}
		p = p[n:]
	}
	return 0, nil
}

// wholeLines returns how much of p to write at once: as many lines as fit into limit, but at least one.
func wholeLines(p []byte, limit int) int {
	if limit == 0 || len(p) <= limit {
		return len(p)
	}
	if end := bytes.LastIndexByte(p[:limit], '\n'); end >= 0 {
		return end + 1
	}
	return bytes.IndexByte(p, '\n') + 1
}

// chunk is the limit for one write of lines. A plain file takes any size in one piece. In a pipe, and so perhaps in
// a socket or terminal, more than PIPE_BUF may be mixed with the lines of other workers.
func (t *target) chunk() int {
	if t.regular() {
		return 0
	}
	return pipeBuf
}

func (a *AccessLog) report(l losses) {
	if l.err != nil && a.OnError != nil {
		a.OnError(l.err, l.lost)
	}
}
