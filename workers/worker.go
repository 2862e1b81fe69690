// Package workers is the worker process: it takes connections from the listeners it was forked with, completes
// requests, and has each run by a Python thread, which owns it from the socket to the socket. See docs/architecture.md.
package workers

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/protocol/http1"
	"github.com/pyhost/pyhost/protocol/proxy"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/secure"
	"github.com/pyhost/pyhost/workers/socket"
	"github.com/pyhost/pyhost/workers/wire"
	"github.com/pyhost/pyhost/wsgi"
)

// listener is a socket that this worker accepts from. Its index is that of the environ template.
type listener struct {
	fd      int
	unix    bool
	packets bool // the uwsgi protocol is spoken here
	tls     bool
	guarded bool // its connections go through worker.admit
	// constants are the strings of the environ template under their lower-case names, for the access log.
	constants map[string][]byte
}

// worker is everything that the Python threads of a worker process share.
type worker struct {
	python    python
	log       *logging.Logger
	access    *logging.AccessLog
	slot      *scoreboard.Slot
	pid       int
	threads   int
	inTurn    bool          // they share the GIL, see thread.runInTurn
	standing  atomic.Int32  // those that stand by for it
	keepAlive time.Duration // how long an idle connection is kept; 0 = every connection is closed after one response
	graceful  time.Duration // graceful_timeout
	maxConns  int64
	period    time.Duration // how often a worker shows that it lives
	pollLimit int           // the same in ms, for a waiting thread
	limits    http1.Limits
	leniency  http1.Leniency
	timeouts  timeouts
	spooling  spooling
	buffered  bool // the application runs when the whole request body is there
	rules     wsgi.Rules
	trusted   *wsgi.Trusted

	retirement *retirement
	packets    packetRules
	proxies    proxyRules
	files      files
	http2      *http2Server // nil without h2
	tls        *tls.Config  // nil without a certificate
	// raggedEOFs: a TLS connection may end without close_notify (suppress_ragged_eofs)
	raggedEOFs bool

	listeners []listener
	poller    *poller
	table     *table
	ready     readyQueue
	lane      lane

	accepting   bool // the listeners are in the poller; under acceptMu
	leaving     bool // and never will be again; under acceptMu
	acceptMu    sync.Mutex
	paused      atomic.Bool // they were, and come back when there is room
	givingWay   sync.Mutex
	full        atomic.Bool  // paused because of worker_connections
	acceptError atomic.Int64 // CLOCK_MONOTONIC ns of the last complaint about accept
	scarce      atomic.Bool  // descriptors have run out before

	board       *scoreboard.Board // nil in tests: then nothing is shown
	place       int               // this worker's slot of it
	runners     []atomic.Pointer[thread]
	abandoned   atomic.Int64 // connections whose request was answered while its thread does not come back
	gil         visitor
	interpreter interpreter
	handover    *handover // nil in tests without siblings
	shares      bool      // the setting handover
	ownSockets  bool      // the setting reuse_port: nobody else has the listening sockets
	backlogLeft bool      // to others, while it drains; see settleBacklog
	crew        int       // the generation
	shepherd    *shepherd
	queue       queue
	control     *net.UnixConn // to the master; under controlMu
	controlMu   sync.Mutex

	notes      *notes
	intHook    bool          // worker_int is set
	abortHook  bool          // worker_abort is set
	exitHook   bool          // worker_exit is set
	exitHooked atomic.Bool   // worker_exit has been begun
	intHooked  chan struct{} // closed when worker_int has been run
	hurried    atomic.Bool   // the quick stop has been begun
	exitOnce   sync.Once     // the log says that the worker ends
	warming    atomic.Bool   // the application has been imported, and answers warmup_url

	draining    atomic.Bool
	parting     atomic.Bool // or about to: no connection outlasts its next response
	quick       atomic.Bool
	overtime    atomic.Bool // graceful_timeout is nearly over, and what ran has been given up
	signalsDue  atomic.Bool
	stopOnce    sync.Once
	leaveOnce   sync.Once
	threadsDone sync.WaitGroup // Python threads other than the main one
}

// newWorker sets the worker up from what it was forked with; it does not accept yet.
func newWorker(boot *wire.WorkerBoot, py python, log *logging.Logger, access *logging.AccessLog, slot *scoreboard.Slot,
	fds []int,
) (*worker, error) {
	c := boot.Config
	trusted, err := wsgi.ParseTrusted(c.ForwardedAllowIPs)
	if err != nil {
		return nil, err
	}
	packets, err := newPacketRules(c)
	if err != nil {
		return nil, err
	}
	proxies, err := newProxyRules(c)
	if err != nil {
		return nil, err
	}
	served, err := newFiles(c)
	if err != nil {
		return nil, err
	}
	security, err := newTLS(boot)
	if err != nil {
		return nil, err
	}
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	w := &worker{
		python: py, log: log, access: access, slot: slot, pid: unix.Getpid(),
		threads:   max(c.Threads, 1),
		keepAlive: time.Duration(c.KeepAlive) * time.Second,
		graceful:  time.Duration(c.GracefulTimeout) * time.Second,
		maxConns:  int64(max(c.WorkerConnections, 1)),
		period:    heartbeatPeriod(c.Timeout),
		limits: http1.Limits{
			RequestLine: c.LimitRequestLine, Fields: c.LimitRequestFields, FieldSize: c.LimitRequestFieldSize,
			Body: int64(c.LimitRequestBody),
		},
		leniency: newLeniency(c),
		timeouts: newTimeouts(c),
		spooling: newSpooling(c),
		buffered: c.RequestBuffering,
		rules:    rulesOf(c, trusted),
		trusted:  trusted,
		packets:  packets,
		proxies:  proxies,
		files:    served,
		tls:      security, raggedEOFs: c.SuppressRaggedEOFs,
		poller:  p,
		runners: make([]atomic.Pointer[thread], max(c.Threads, 1)),
		crew:    boot.Generation,
		place:   boot.Slot, interpreter: embeddedInterpreter,
		table:     newTable(descriptorLimit()),
		intHooked: make(chan struct{}), shares: c.Handover && !c.ReusePort,
		ownSockets: c.ReusePort,
		intHook:    c.WorkerInt != "", abortHook: c.WorkerAbort != "", exitHook: c.WorkerExit != "",
	}
	// Where threads may find a static file, which needs no Python, they read requests without the GIL.
	w.inTurn = w.threads > 1 && w.files.mounts == nil && embedpy.HasGIL()
	w.pollLimit = int(w.period.Milliseconds())
	w.ready.poller = p
	w.retirement = newRetirement(c, w.retire)
	w.queue = queue{w: w, limit: c.QueueLimit, time: time.Duration(c.QueueTimeout) * time.Second}
	w.lane = newLane(w)
	w.http2 = newHTTP2(w, boot)
	for i, l := range boot.Listeners {
		packets, secure := l.Protocol == config.ProtocolUWSGI, l.Protocol == config.ProtocolHTTPS
		w.listeners = append(w.listeners, listener{
			fd: fds[i], unix: l.Network == "unix", constants: constants(c, l),
			packets: packets, tls: secure, guarded: packets || secure || proxies.mode != proxy.Off,
		})
	}
	return w, w.prepareListeners()
}

// newTLS is the server side of TLS, nil if the settings have none.
func newTLS(boot *wire.WorkerBoot) (*tls.Config, error) {
	if boot.Certificates == nil {
		return nil, nil
	}
	c, err := secure.New(boot.Config, boot.Certificates)
	if err == nil {
		go secure.RotateTicketKeys(c, boot.Certificates, nil)
	}
	return c, err
}

func rulesOf(c *config.Config, trusted *wsgi.Trusted) wsgi.Rules {
	header := func(setting string) string {
		if setting == "off" {
			return ""
		}
		return setting
	}
	return wsgi.Rules{
		SecureSchemeHeaders: c.SecureSchemeHeaders,
		ForwarderHeaders:    c.ForwarderHeaders,
		HeaderMap:           wsgi.HeaderMaps[c.HeaderMap],
		ScriptName:          c.ScriptName, Trusted: trusted,
		RealIP: header(c.RealIP), RequestID: header(c.RequestIDHeader),
	}
}

func newLeniency(c *config.Config) http1.Leniency {
	return http1.Leniency{
		Folding: c.PermitObsoleteFolding, HeaderSpaces: c.StripHeaderSpaces,
		Method: c.PermitUnconventionalMethod, Casefold: c.CasefoldMethod, Version: c.PermitUnconventionalVersion,
	}
}

// newParser makes a parser that follows the settings.
func (w *worker) newParser() *http1.Parser { return http1.NewParser(w.limits).Permit(w.leniency) }

func constants(c *config.Config, l wire.Listener) map[string][]byte {
	return map[string][]byte{
		"server_name":     []byte(l.Name),
		"server_port":     []byte(l.Port),
		"server_software": []byte("pyhost/" + config.Version),
		"script_name":     []byte(c.ScriptName),
		"wsgi.url_scheme": []byte("http"),
	}
}

// heartbeatPeriod is a second, or less for timeouts (in seconds) that are so short that a second matters.
func heartbeatPeriod(timeout int) time.Duration {
	if timeout == 0 {
		return time.Second
	}
	return min(time.Second, time.Duration(timeout)*time.Second/4)
}

// descriptorLimit is the size of the connection table: RLIMIT_NOFILE, with a bound for containers that set it to a
// billion.
func descriptorLimit() int {
	const bound = 1 << 20
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return bound
	}
	return int(min(limit.Cur, bound))
}

// prepareListeners makes accept never block, and connections inherit TCP_NODELAY: each block of a stream is sent at
// once.
func (w *worker) prepareListeners() error {
	for _, l := range w.listeners {
		if err := unix.SetNonblock(l.fd, true); err != nil {
			return err
		}
		if !l.unix {
			if err := unix.SetsockoptInt(l.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// identify notes who the connection comes from.
func (w *worker) identify(c *conn, listenerFD int, peer socket.Peer) {
	for i, l := range w.listeners {
		if l.fd == listenerFD {
			c.facts.Listener, c.facts.ListenerUnix = i, l.unix
			c.guarded, c.packets, c.encrypted = l.guarded, l.packets, l.tls
		}
	}
	if c.facts.ListenerUnix {
		c.facts.Trusted = true
		return
	}
	facts := c.peerText[:0]
	facts = peer.AppendAddr(facts)
	n := len(facts)
	facts = peer.AppendPort(facts)
	c.facts.RemoteAddr, c.facts.RemotePort = facts[:n:n], facts[n:len(facts):len(facts)]
	c.facts.Trusted = w.isTrusted(peer.Addr)
}

func (w *worker) isTrusted(addr netip.Addr) bool { return addr.IsValid() && w.trusted.Contains(addr) }

// finished reports whether the Python threads have nothing left to do.
func (w *worker) finished() bool {
	return w.quick.Load() || (w.draining.Load() && w.table.count.Load() <= w.abandoned.Load())
}

// shown is where the master sees what thread i runs; nil = nowhere.
func (w *worker) shown(i int) *scoreboard.Request {
	if w.board == nil {
		return nil
	}
	return w.board.Request(w.place, i)
}

// checkSignals lets Python's signal handlers run; main thread only.
func (w *worker) checkSignals() {
	if !w.signalsDue.Swap(false) {
		return
	}
	exit, text := w.python.CheckSignals()
	switch {
	case exit:
		w.log.Info("A signal handler of the application called sys.exit()")
		go w.stop(true)
	case text != "":
		w.log.Error("Exception in a signal handler\n%s", text)
	}
}
