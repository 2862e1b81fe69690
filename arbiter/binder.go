package arbiter

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/secure"
	"golang.org/x/sys/unix"
)

const (
	// bindTries and bindPause are gunicorn's: a predecessor that is about to end may still hold the address.
	bindTries = 5
	bindPause = time.Second
)

// binder opens the first sockets, address after address.
type binder struct {
	pidfile   *pidfile
	inherited []string // what systemd passed; it overrides the bind setting, as in gunicorn
	addresses []config.Address
	sockets   socketSet // of the first addresses
	// certificates are read before the first socket is opened: without them none is of use
	certificates *secure.Material
	tries        int // of the next address
	retryAt      time.Duration
}

func (b *binder) plan(cfg *config.Config, inherited []string) (err error) {
	b.inherited = inherited
	if b.addresses, err = b.parse(cfg); err == nil {
		b.certificates, err = readCertificates(cfg)
	}
	return err
}

// readCertificates reads what TLS needs, as the master's user; nil without TLS.
func readCertificates(cfg *config.Config) (*secure.Material, error) {
	return secure.Read(cfg, cfg.InChdir)
}

func (b *binder) parse(cfg *config.Config) ([]config.Address, error) {
	binds := cfg.Bind
	if b.inherited != nil {
		binds = b.inherited
	}
	addresses := make([]config.Address, 0, len(binds))
	seen := map[config.Address]bool{}
	for _, bind := range binds {
		at, err := config.ParseBind(bind)
		if err != nil {
			return nil, fmt.Errorf("invalid value for bind: %s: %w", bind, err)
		}
		at.Path = cfg.InChdir(at.Path)
		if seen[at.Place()] && !at.AnyPort() {
			return nil, fmt.Errorf("invalid value for bind: %s is given twice", at)
		}
		seen[at.Place()] = true
		addresses = append(addresses, at)
	}
	return addresses, nil
}

// bind opens the sockets of the first generation, and makes that generation when it has them all.
func (a *arbiter) bind() {
	b := &a.binder
	if a.phase != binding || b.retryAt != 0 && !a.due(b.retryAt) {
		return
	}
	cfg := a.options.Config
	for len(b.sockets) < len(b.addresses) {
		at := b.addresses[len(b.sockets)]
		s, err := a.open(at, cfg)
		if err != nil {
			a.bindFailed(at, err)
			return
		}
		b.sockets, b.tries = append(b.sockets, s), 0
	}
	a.env.bound()
	a.logListening(b.sockets, protocols(cfg, b.addresses))
	a.log.Info("Using worker: %s", cfg.WorkerClass)
	a.current.sockets = b.sockets
	a.current.protocols, a.current.certificates = protocols(cfg, b.addresses), b.certificates
	a.trimSockets() // an old master may have had more workers
	a.phase = serving
	a.current.announce = true
	if s := a.current.server; s != nil { // it was needed earlier, for hooks
		a.boot(s)
	}
}

// bindFailed plans another try, or ends the master.
func (a *arbiter) bindFailed(at config.Address, err error) {
	b := &a.binder
	b.tries++
	again, tell := true, a.log.Warning
	if b.tries > 1 { // the first time and the last one are enough
		tell = a.log.Debug
	}
	switch {
	case overlapping(at, b.sockets, err) != nil:
		again = false // nor does this
	case errors.Is(err, unix.EADDRINUSE):
		tell("Connection in use: %s; it is tried for %s", at, bindPause*(bindTries-1))
	case errors.Is(err, unix.EADDRNOTAVAIL):
		tell("Invalid address: %s; it is tried for %s", at, bindPause*(bindTries-1))
	default:
		a.log.Error("connection to %s failed: %s", at, err)
		again = false // a missing right or directory does not come by waiting
	}
	if again && b.tries < bindTries {
		a.log.Debug("Retrying in 1 second.")
		b.retryAt = a.after(bindPause)
		return
	}
	a.log.Error("Can't connect to %s%s", at, bindRemedy(at, b.sockets, err))
	a.exitCode = exitError
	a.stop(true)
}

// overlapping is the one of the sockets, all open, that keeps at from being opened, which failed for cause; nil if none
// does. An IPv6 wildcard takes IPv4 connections as well.
func overlapping(at config.Address, sockets socketSet, cause error) *socket {
	if at.Network != "tcp" || !errors.Is(cause, unix.EADDRINUSE) {
		return nil
	}
	wanted, err := lookup(at.Host)
	if err != nil {
		return nil
	}
	covers := func(x, y netip.Addr) bool { return x.IsUnspecified() && (x.Is6() || y.Is4()) }
	for _, s := range sockets {
		taken, err := netip.ParseAddrPort(s.listener.Address)
		if err == nil && strconv.Itoa(int(taken.Port())) == at.Port &&
			(covers(taken.Addr(), wanted) || covers(wanted, taken.Addr())) {
			return s
		}
	}
	return nil
}

// bindRemedy is what to do about an address that cannot be opened, to follow the error; "" if nothing is known. The
// sockets are those that are open beside it.
func bindRemedy(at config.Address, sockets socketSet, err error) string {
	s := overlapping(at, sockets, err)
	switch {
	case s != nil:
		return ": this server itself listens at " + s.listener.Address + ", which overlaps with it; leave one of them out"
	case errors.Is(err, unix.EADDRINUSE):
		return ": another program listens there; stop it, or choose another address with --bind"
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return ": this machine does not have that address; 0.0.0.0 stands for all that it has"
	case errors.Is(err, unix.EACCES) && at.Network == "tcp" && len(at.Port) < len("1024"):
		return ": ports below 1024 are root's; choose another one, give pyhost CAP_NET_BIND_SERVICE, or let systemd open it"
	}
	return ""
}

// rebindRemedy is the same for a reload, which may meet its own server: 0.0.0.0:80 includes 127.0.0.1:80.
func rebindRemedy(at config.Address, old, fresh socketSet, err error) string {
	if overlapping(at, fresh, err) != nil {
		return bindRemedy(at, fresh, err)
	}
	for _, s := range old {
		l := s.listener
		if errors.Is(err, unix.EADDRINUSE) && at.Network == "tcp" && l.Network == "tcp" && l.Port == at.Port {
			return ": this server itself listens at " + l.Address + " until the reload is done; restart it, or choose " +
				"another port"
		}
	}
	return bindRemedy(at, fresh, err)
}

// rebind gives g its certificates and its sockets: those that it has in common with the current generation, and new
// ones, which are open when it returns; an error leaves none behind. There is one try: what serves goes on serving.
func (a *arbiter) rebind(g *generation) error {
	cfg := g.config
	addresses, err := a.binder.parse(cfg)
	if err != nil {
		return err
	}
	if g.certificates, err = readCertificates(cfg); err != nil {
		return err
	}
	old := a.current.sockets
	var sockets socketSet
	g.protocols = protocols(cfg, addresses)
	changed := !slices.Equal(g.protocols, a.current.protocols)
	for _, at := range addresses {
		s := old.at(at, sockets)
		if s == nil {
			changed = true
			if s, err = a.open(at, cfg); err != nil {
				sockets.closeExcept(old)
				return fmt.Errorf("opening %s: %w%s", at, err, rebindRemedy(at, old, sockets, err))
			}
		} else if s.reusePort != cfg.ReusePort && at.Network == "tcp" {
			a.log.Warning("reuse_port of %s changes with the next start only.", at)
		}
		sockets = append(sockets, s)
	}
	if changed {
		a.logListening(sockets, g.protocols)
	}
	g.sockets = sockets
	return nil
}

// protocols say what is spoken at addresses.
func protocols(cfg *config.Config, addresses []config.Address) []string {
	list := make([]string, 0, len(addresses))
	for _, at := range addresses {
		list = append(list, cfg.ProtocolOf(at))
	}
	return list
}

func (a *arbiter) logListening(sockets socketSet, protocols []string) {
	a.log.Info("Listening at: %s (%d)", strings.Join(urls(sockets.listeners(protocols)), ","), a.pid)
}

// trimSockets closes the sockets of seats that no generation has any more: the kernel would go on sending them
// connections.
func (a *arbiter) trimSockets() {
	wanted := map[int]bool{}
	for _, g := range []*generation{a.current, a.next, a.fading} {
		if g != nil {
			for _, s := range g.seats {
				wanted[s.index] = true
			}
		}
	}
	for _, g := range []*generation{a.current, a.next} {
		if g != nil {
			g.sockets.trim(wanted)
		}
	}
}

func (a *arbiter) pidfile() *pidfile { return a.current.pidfile }
