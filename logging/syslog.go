package logging

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pyhost/pyhost/config"
)

const (
	syslogQueue   = 1024            // messages that wait for the connection
	syslogRetry   = time.Second     // between two tries to connect
	syslogTimeout = 2 * time.Second // for a connection, and for a message to be taken
)

// syslog sends messages to a syslog server, from a goroutine of its own: gunicorn's syslog settings. The form is the
// one of Python's SysLogHandler that gunicorn uses: <PRI>PROGRAM: [PID] MESSAGE, one datagram each, or on a
// stream ended by a newline (RFC 6587 3.4.2).
type syslog struct {
	network, address string
	facility         int
	program          string
	queue            chan []byte
	done             chan struct{}
	complain         func(string) // where the error log is local

	excess     atomic.Int64 // messages for which the queue had no room
	connection net.Conn
	failed     time.Time // when the last try to connect failed, and why
	failure    error
	losses     losses
}

// newSyslog makes the one of a log; name is error or access.
func newSyslog(c *config.Config, name string, complain func(string)) (*syslog, error) {
	network, address, err := config.ParseSyslog(c.SyslogAddr)
	if err != nil {
		return nil, err
	}
	prefix := c.SyslogPrefix
	if prefix == "" {
		prefix = strings.ReplaceAll(c.Name(), ":", ".")
	}
	s := &syslog{
		network: network, address: address, facility: config.SyslogFacilities[c.SyslogFacility],
		program: "gunicorn." + prefix + "." + name, complain: complain,
		queue: make(chan []byte, syslogQueue), done: make(chan struct{}),
	}
	go s.run()
	return s, nil
}

// send queues one message; a full queue loses it.
func (s *syslog) send(severity, pid int, text []byte) {
	m := fmt.Appendf(nil, "<%d>%s: [%d] ", s.facility*8+severity, s.program, pid)
	m = append(m, bytes.TrimRight(text, "\n")...)
	select {
	case s.queue <- m:
	default:
		s.excess.Add(1)
	}
}

// message takes a message of the error log.
func (s *syslog) message(m *message, enabled bool) {
	if enabled {
		s.send(priority(m.severity), m.pid, appendMessage(nil, m.text))
	}
}

// record takes a line of the access log.
func (s *syslog) record(r *Record, line []byte) {
	const informational = 6
	s.send(informational, r.PID, line)
}

func (s *syslog) run() {
	defer close(s.done)
	_ = s.connect() // before the first request, so that the descriptors of a worker do not change any more
	for m := range s.queue {
		if m == nil {
			return
		}
		if err := s.deliver(m); err != nil {
			s.losses.add(err, 1)
		}
		if excess := s.excess.Swap(0); excess > 0 {
			s.losses.add(errFull, int(excess))
		}
		if lost := s.losses.due(time.Now); lost.err != nil && s.complain != nil {
			s.complain(fmt.Sprintf("Syslog at %s://%s: %v; %d messages lost", s.network, s.address, lost.err, lost.lost))
		}
	}
}

// deliver sends one message, on a new connection if need be.
func (s *syslog) deliver(m []byte) error {
	if s.network == "tcp" || s.network == "unix" {
		// A newline ends the message: those inside it are written as syslog servers write them.
		m = append(bytes.ReplaceAll(m, newline, []byte("#012")), '\n')
	}
	for range 2 { // the server may have been restarted since the last message
		if err := s.connect(); err != nil {
			return err
		}
		_ = s.connection.SetWriteDeadline(time.Now().Add(syslogTimeout))
		_, err := s.connection.Write(m)
		if err == nil {
			return nil
		}
		s.connection.Close()
		s.connection = nil
		s.failed = time.Time{}
	}
	return fmt.Errorf("it does not take messages")
}

func (s *syslog) connect() error {
	if s.connection != nil {
		return nil
	}
	if time.Since(s.failed) < syslogRetry {
		return s.failure
	}
	connection, err := net.DialTimeout(s.network, s.address, syslogTimeout)
	if err != nil {
		s.failed, s.failure = time.Now(), err
		return err
	}
	s.connection = connection
	return nil
}

// close sends what is queued, for at most limit.
func (s *syslog) close(limit time.Duration) {
	select {
	case s.queue <- nil:
	default:
		return
	}
	select {
	case <-s.done:
	case <-time.After(limit):
	}
}
