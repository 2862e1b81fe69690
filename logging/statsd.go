package logging

import (
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/pyhost/pyhost/config"
)

// statsdPacket is the size of a datagram that passes an Ethernet in one piece, with room for its headers.
const statsdPacket = 1432

// statsd counts requests and messages at a statsd server under gunicorn's names of metrics (statsd_host, statsd_prefix,
// dogstatsd_tags). Metrics are collected for a moment and share datagrams, separated by newlines. A server that is
// slow or gone costs metrics and nothing else.
type statsd struct {
	prefix, tags string

	mu         sync.Mutex
	connection net.Conn
	buffer     []byte
	metric     []byte
	timer      *time.Timer
}

// newStatsd connects; nil without statsd_host. A name that cannot be resolved is an error.
func newStatsd(c *config.Config) (*statsd, error) {
	network, address, err := config.ParseStatsd(c.StatsdHost)
	if err != nil || network == "" {
		return nil, err
	}
	s := &statsd{tags: c.DogstatsdTags, prefix: c.StatsdPrefix}
	for len(s.prefix) > 0 && s.prefix[len(s.prefix)-1] == '.' {
		s.prefix = s.prefix[:len(s.prefix)-1]
	}
	if s.prefix != "" {
		s.prefix += "."
	}
	if s.tags != "" {
		s.tags = "|#" + s.tags
	}
	s.connection, err = net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	s.timer = time.AfterFunc(flushDelay, s.flush)
	s.timer.Stop()
	return s, nil
}

// add adds one metric: name:value|kind.
func (s *statsd) add(name string, value int64, thousandths bool, kind string) {
	m := append(append(s.metric[:0], s.prefix...), name...)
	m = append(m, ':')
	if thousandths {
		m = strconv.AppendFloat(m, float64(value)/1e3, 'f', -1, 64)
	} else {
		m = strconv.AppendInt(m, value, 10)
	}
	m = append(append(append(m, '|'), kind...), s.tags...)
	s.metric = m
	switch {
	case len(s.buffer) == 0:
		s.timer.Reset(flushDelay)
	case len(s.buffer)+1+len(m) > statsdPacket:
		s.write()
	default:
		s.buffer = append(s.buffer, '\n')
	}
	s.buffer = append(s.buffer, m...)
}

// write sends what is collected: a datagram to a local socket buffer never waits for long, but may for a unix socket,
// hence the deadline.
func (s *statsd) write() {
	_ = s.connection.SetWriteDeadline(time.Now().Add(time.Millisecond))
	_, _ = s.connection.Write(s.buffer)
	s.buffer = s.buffer[:0]
}

func (s *statsd) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buffer) > 0 {
		s.write()
	}
}

// record counts a request; one without a response has no status.
func (s *statsd) record(r *Record, _ []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add("gunicorn.request.duration", r.elapsed().Microseconds(), true, "ms")
	s.add("gunicorn.requests", 1, false, "c")
	if r.Status > 0 {
		s.add("gunicorn.request.status."+strconv.Itoa(r.Status), 1, false, "c")
	}
}

// message counts a message, whether the level of the log shows it or not.
func (s *statsd) message(m *message, _ bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch _, traceback, _ := m.split(); {
	case m.severity == zerolog.ErrorLevel && traceback != "":
		s.add("gunicorn.log.exception", 1, false, "c")
	case m.severity >= zerolog.WarnLevel:
		s.add("gunicorn.log."+zerolog.LevelFieldMarshalFunc(m.severity), 1, false, "c")
	}
}

// gauge sets a value.
func (s *statsd) gauge(name string, value int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(name, int64(value), false, "g")
}

// timing adds to a histogram; gunicorn sends those as ms.
func (s *statsd) timing(name string, value int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(name, int64(value), false, "ms")
}

func (s *statsd) close(time.Duration) { s.flush() }
