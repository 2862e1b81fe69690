package workers

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/protocol/http1"
)

// timeouts is how long the worker waits for a client; 0 = for ever.
type timeouts struct {
	head  time.Duration // for a request head, and for the first byte on a new connection
	pause time.Duration // between two pieces of a request body
	rate  int64         // bytes per second that a body must have after the first pause; 0 = any
	write time.Duration // for any progress of a response
	abort time.Duration // after which the arbiter aborts this worker for one request (timeout); 0 = never
	first time.Duration // for the first byte of a body whose client waited for 100 Continue; 0 = as any other
}

// firstTime is the value of first: who asks may have the body ready.
const firstTime = 5 * time.Second

func newTimeouts(c *config.Config) timeouts {
	t := timeouts{
		head:  time.Duration(c.HeaderTimeout) * time.Second,
		pause: time.Duration(c.BodyTimeout) * time.Second,
		rate:  int64(c.BodyMinRate),
		write: time.Duration(c.WriteTimeout) * time.Second,
	}
	if t.pause > 0 {
		t.first = firstTime
	}
	if c.Threads <= 1 { // others beat while a request runs
		t.abort = time.Duration(c.Timeout) * time.Second
	}
	return t
}

// writeLimit is write as a duration that always bounds.
func (t timeouts) writeLimit() time.Duration {
	if t.write == 0 {
		return 100 * 365 * 24 * time.Hour
	}
	return t.write
}

// lastMoment is until when a request that begins now may wait for its client, zero for ever: the application needs what
// is left of the time to answer.
func (t timeouts) lastMoment() time.Time { return after(t.abort - t.abort/10) }

// after is the deadline that lies wait from now; none for 0.
func after(wait time.Duration) time.Time {
	if wait == 0 {
		return time.Time{}
	}
	return time.Now().Add(wait)
}

// RFC 9110 15.5.9: the request was not complete within the time that the server was prepared to wait.
var (
	errHeadLate  = &http1.Refusal{Status: 408, Rule: "request head not complete in time (header_timeout)"}
	errProxyLate = &http1.Refusal{Status: 408, Rule: "PROXY header not complete in time (header_timeout)"}
	errBodyLate  = &http1.Refusal{Status: 408, Rule: "request body stood still for too long (body_timeout)"}
	errBodySlow  = &http1.Refusal{Status: 408, Rule: "request body too slow (body_min_rate)"}
	errNoBody    = &http1.Refusal{Status: 408, Rule: "no request body after 100 Continue"}
	errBodyLong  = &http1.Refusal{Status: 408, Rule: "request body not complete before the end of its worker (timeout)"}
)

// late is the refusal for a read of a head that ended with err, or nil if it was not a matter of time.
func late(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errHeadLate
	}
	return nil
}

// pace bounds the time for one request body. The client may pause for as long as body_timeout. Beyond that, each byte
// that it has sent earns it some time: a body that trickles must keep up with body_min_rate on average.
type pace struct {
	limits timeouts
	start  time.Time
}

func (t timeouts) pace() *pace { return &pace{limits: t, start: time.Now()} }

// deadline is when the next byte must have come, after got bytes; none if there is no limit.
func (p *pace) deadline(got int64) time.Time {
	deadline := after(p.limits.pause)
	if earned := p.earned(got); !deadline.IsZero() && p.limits.rate > 0 && earned.Before(deadline) {
		return earned
	}
	return deadline
}

func (p *pace) earned(got int64) time.Time {
	if p.limits.rate == 0 {
		return p.start
	}
	seconds := float64(got) / float64(p.limits.rate)
	return p.start.Add(p.limits.pause + time.Duration(min(seconds, 1e9)*float64(time.Second)))
}

// excuse is for time that the client could not use, because the application let it wait.
func (p *pace) excuse(waited time.Duration) { p.start = p.start.Add(waited) }

// late is the refusal for a read that ended with err after got bytes, or nil if it was not a matter of time.
func (p *pace) late(got int64, err error) error {
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	case p.limits.rate > 0 && got > 0 && !time.Now().Before(p.earned(got)):
		return errBodySlow
	}
	return errBodyLate
}

// writePatiently writes p as long as the client takes some of it within each write_timeout.
func writePatiently(f *os.File, p []byte, timeout time.Duration) error {
	for len(p) > 0 {
		before := unsent(f)
		if err := f.SetWriteDeadline(after(timeout)); err != nil {
			return err
		}
		n, err := f.Write(p[:min(len(p), 256<<10)])
		p = p[n:]
		// The kernel wakes a writer when a third of its buffer is free again: for a slow client that can take longer
		// than the client's next read.
		if errors.Is(err, os.ErrDeadlineExceeded) && unsent(f) < before+n {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unsent is how many bytes of f's send buffer the client has not taken.
func unsent(f *os.File) int {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	left := 0
	if raw.Control(func(fd uintptr) { left, err = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ) }) != nil || err != nil {
		return 0
	}
	return left
}
