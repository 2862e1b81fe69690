package arbiter

import (
	"os"
	"slices"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/scoreboard"
)

// phase is where in its life the master is. It only moves forward.
type phase int

const (
	starting  phase = iota // runs the hooks that come before everything else
	binding                // opens its sockets
	serving                // keeps workers
	stopping               // waits for workers and forkservers to end
	attending              // process 1 of a container, after an upgrade: see attend
	ended
)

// arbiter is the state of the master. It belongs to the goroutine of loop.
type arbiter struct {
	options Options
	env     env
	log     Log
	pid     int
	board   *scoreboard.Board

	phase phase
	// wake is when advance must run again though no event has come; 0 = not at all.
	wake time.Duration
	// looked is when advance ran last.
	looked time.Duration
	stall  stall

	told int // what Options.Workers was told last
	// backlogAt is when Options.Backlog is told next; 0 = at once.
	backlogAt time.Duration

	binder   binder
	current  *generation // the one that serves, or that boots as the first one
	next     *generation // the one that a reload boots
	fading   *generation // whose workers a rolling reload replaces; no longer the current one
	reload   reload
	shutdown shutdown
	hooks    hookCalls
	// proven: every worker of some generation has been ready. From then on no failure to boot ends the master.
	proven bool

	// servers and workers are the processes that have not ended yet, of all generations, oldest first.
	servers     []*server
	workers     []*worker
	slots       [scoreboard.MaxSlots]bool // taken
	ages        int                       // workers started so far
	generations int
	launches    int // forkservers started so far
	exitCode    int
	recycling   recycling
	scaling     scaling
	oom         oom
	upgrade     upgrade
	watchdog    watchdog
}

func newArbiter(options Options, board *scoreboard.Board) *arbiter {
	a := &arbiter{options: options, board: board, pid: os.Getpid()}
	a.log = pythonLog{options.Log, a}
	return a
}

// start does what must succeed before the first socket is opened.
func (a *arbiter) start() error {
	cfg := a.options.Config
	a.oom.oomCount = a.env.oomKills()
	a.upgrade.predecessor = a.env.predecessor()
	a.watchdog.period = a.env.watchdog()
	err := a.binder.plan(cfg, a.env.inherited())
	if err == nil {
		err = a.env.ownLogs(cfg)
	}
	if err == nil {
		a.binder.pidfile, err = createPidfile(a.pidPath(cfg), a.pid)
	}
	if err != nil {
		return err
	}
	a.title(cfg)
	a.watchConfig(cfg)
	a.current = a.newGeneration(cfg, a.options.Prepared, a.options.Library, a.options.Executable)
	a.current.pidfile = a.binder.pidfile
	a.startHooks(a.current)
	return nil
}

// title shows the application's name in the process list, as gunicorn with setproctitle does.
func (a *arbiter) title(cfg *config.Config) {
	if a.options.SetTitle != nil {
		a.options.SetTitle("pyhost: master [" + cfg.Name() + "]")
	}
}

// advance does all that the state and the clock ask for. It runs after each event, and at a.wake.
func (a *arbiter) advance() {
	a.noticeStall()
	a.wake = 0
	a.feed()
	a.bind()
	a.settle()
	a.checkTimeouts()
	a.killOverdue()
	if a.phase == serving {
		a.checkDelay()
	}
	if a.phase == serving {
		a.checkReload()
		a.checkRolling()
		a.reconcile(a.current)
		a.reconcile(a.next)
		a.checkRecycling()
		a.checkScaling()
		a.tellWorkers()
		a.tellBacklog()
	}
	a.checkEnd()
}

// tellWorkers tells how many workers are wanted, if that has changed.
func (a *arbiter) tellWorkers() {
	if a.current == nil || a.options.Workers == nil || a.told == a.current.size() {
		return
	}
	a.told = a.current.size()
	a.options.Workers(a.told)
}

// backlogPeriod is how often the length of the backlog is told, as in gunicorn.
const backlogPeriod = time.Second

// tellBacklog tells how many connections wait to be accepted (gunicorn's enable_backlog_metric).
func (a *arbiter) tellBacklog() {
	g := a.current
	if g == nil || a.options.Backlog == nil || !g.config.EnableBacklogMetric {
		return
	}
	if a.backlogAt == 0 || a.due(a.backlogAt) {
		a.backlogAt = a.after(backlogPeriod)
		a.options.Backlog(a.env.waitingOn(g.sockets.all()))
	}
}

// due reports whether the moment t has come; 0 never comes. If it has not, advance will run again at t.
func (a *arbiter) due(t time.Duration) bool {
	if t == 0 {
		return false
	}
	if a.env.now() >= t {
		return true
	}
	a.wakeAt(t)
	return false
}

// after is the moment d from now. advance will run then.
func (a *arbiter) after(d time.Duration) time.Duration {
	t := a.env.now() + d
	a.wakeAt(t)
	return t
}

func (a *arbiter) wakeAt(t time.Duration) {
	if a.wake == 0 || t < a.wake {
		a.wake = t
	}
}

// hold counts a failure on b, of a process that had served for so long, and returns the pause before the next attempt.
func (a *arbiter) hold(b *backoff, served time.Duration) time.Duration {
	pause := b.fail(a.env.now(), served)
	a.wakeAt(b.until)
	return pause
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// without is list less item. It makes a new slice: the old one may be in the middle of an iteration.
func without[T comparable](list []T, item T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(other T) bool { return other == item })
}
