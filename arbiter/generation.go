package arbiter

import (
	"cmp"
	"slices"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/secure"
	"github.com/pyhost/pyhost/workers/wire"
)

// generation is one reading of the configuration and the code: a forkserver, which may have to be replaced, and
// workers.
type generation struct {
	id                  int
	config              *config.Config
	library, executable string
	prepared            *Prepared        // the forkserver to begin with; nil = start one
	file                *wire.ConfigFile // the Python config file; nil = none
	sockets             socketSet
	handover            *handover // nil before the first worker, and when the generation has retired
	protocols           []string  // what is spoken on them, in their order
	certificates        *secure.Material
	pidfile             *pidfile
	started             time.Duration
	server              *server   // nil while there is none
	brake               backoff   // on the start of forkservers
	announce            bool      // when_ready is to be called
	seats               []*seat   // one per wanted worker
	left                int       // seats that a rolling reload has yet to open
	failures            []string  // causes of failed boots whose tracebacks the log has
	began               time.Time // as started, for comparison with files
	waiting             bool      // its code does not load, and reload waits for a change
}

// seat is the place of one worker, which successive workers take. With reuse_port each seat has its own sockets, which
// its next worker takes over with the connections that wait in them.
type seat struct {
	index  int
	worker *worker // nil while it is vacant
	heir   *worker // boots to take the worker's place, see recycling; nil mostly
	brake  backoff
	served time.Duration // for how long its last worker did; 0 = it ran no request, or has ended in order
}

func (a *arbiter) newGeneration(cfg *config.Config, p *Prepared, library, executable string) *generation {
	a.generations++
	g := &generation{
		id: a.generations, config: cfg, library: library, executable: executable, prepared: p,
		started: a.env.now(), began: time.Now(),
	}
	if p != nil {
		g.library, g.executable, g.file = p.library, p.executable, &p.file
	}
	for range cfg.Workers {
		g.addSeat()
	}
	return g
}

// maxFailures bounds what is remembered of causes that are never the same twice.
const maxFailures = 32

// isNewFailure reports whether no worker of the generation has failed for this cause yet, and notes it.
func (g *generation) isNewFailure(cause string) bool {
	if slices.Contains(g.failures, cause) {
		return false
	}
	if len(g.failures) == maxFailures {
		g.failures = g.failures[1:]
	}
	g.failures = append(g.failures, cause)
	return true
}

// addSeat adds a seat with the lowest free index.
func (g *generation) addSeat() {
	index := 0
	for slices.ContainsFunc(g.seats, func(s *seat) bool { return s.index == index }) {
		index++
	}
	g.seats = append(g.seats, &seat{index: index})
}

// oldestSeat is the one to give up first: a vacant one, else the one of the oldest worker, as gunicorn does.
func (g *generation) oldestSeat() *seat {
	return slices.MinFunc(g.seats, func(x, y *seat) int { return cmp.Compare(x.age(), y.age()) })
}

func (s *seat) age() int {
	if s.worker == nil {
		return 0
	}
	return s.worker.age
}

// ready reports whether all wanted workers have been started and take requests.
func (g *generation) ready() bool {
	vacant := func(s *seat) bool { return s.worker == nil || !s.worker.ready }
	return g.server != nil && g.server.ready && !slices.ContainsFunc(g.seats, vacant)
}

// serves reports whether any worker takes requests.
func (g *generation) serves() bool {
	return slices.ContainsFunc(g.seats, func(s *seat) bool { return s.worker != nil && s.worker.ready })
}

// reconcile starts what g lacks: a forkserver, then a worker for each vacant seat, none of them before its brake lets
// go, and not too many at once.
func (a *arbiter) reconcile(g *generation) {
	if g == nil || g.waiting {
		return
	}
	if g.server == nil {
		if g.brake.until == 0 || a.due(g.brake.until) {
			a.launch(g)
		}
		return
	}
	if !g.server.ready || g.server.hungUp {
		return
	}
	a.announceReady(g)
	for _, s := range g.seats {
		if s.worker != nil || s.brake.until != 0 && !a.due(s.brake.until) {
			continue
		}
		if !a.mayBoot(g) {
			break
		}
		s.worker = a.spawn(g, s)
	}
	// systemd hears READY when the first workers serve, not when they boot: a unit that cannot boot fails to start.
	if g == a.current && !a.proven && g.ready() {
		a.prove()
		a.notifyReady(g)
	}
}

// prove notes that every worker of some generation has been ready.
func (a *arbiter) prove() {
	if !a.proven && a.options.Ready != nil {
		a.options.Ready()
	}
	a.proven = true
	a.watchLoaded()
}

// vacate stops who has the seat, and who was to have it.
func (a *arbiter) vacate(s *seat, graceful bool) {
	for _, w := range []*worker{s.heir, s.worker} { // the heir first: it would move up
		if w != nil {
			a.stopWorker(w, graceful)
		}
	}
}

// retire takes g out of service: its workers stop, its forkserver leaves at once. The workers then belong to the
// master, which reaps them itself.
func (a *arbiter) retire(g *generation, graceful bool) {
	if g == nil {
		return
	}
	for _, s := range g.seats {
		a.vacate(s, graceful)
	}
	g.seats = nil
	g.handover.close()
	g.handover = nil
	a.closeForkserver(g)
}

// closeForkserver ends the forkserver of a generation that starts no more workers.
func (a *arbiter) closeForkserver(g *generation) {
	if g.server != nil && !g.server.leaving && !a.keepsForHooks(g) {
		a.dismiss(g.server)
	}
}
