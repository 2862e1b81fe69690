package workers

import (
	"testing"

	"golang.org/x/sys/unix"
)

// brings makes events that are no connection's, numbered from first on, those that t has taken from the poller.
func (t *thread) brings(first, count int) {
	for i := range count {
		t.events[i] = unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(first + i), Pad: 1}
	}
	t.batch.fill(count)
}

// Whoever has the GIL takes what others have brought along: those that stand by, and those that block in a request.
func TestNextTakesFromOthers(t *testing.T) {
	s := prepare(t, options{threads: 3})
	first, second := newThread(s.w, 0), newThread(s.w, 1)
	second.brings(11, 2)
	s.w.slot.Add(1)
	first.brings(10, 1)
	for _, want := range []int32{10, 11, 12} {
		if !s.w.leftOver(first) {
			t.Errorf("nothing is left before %d", want)
		}
		if event, ok := first.next(); !ok || event.Fd != want {
			t.Errorf("next is %d, %v, want %d", event.Fd, ok, want)
		}
	}
	if event, ok := first.next(); ok || s.w.leftOver(first) {
		t.Errorf("next is %d, want nothing", event.Fd)
	}
	s.w.slot.Add(-1)
}

// Before a thread begins a request while more wait that the kernel has handed out, somebody is woken to go on with
// them, unless somebody stands by.
func TestSomebodyIsWokenForTheRest(t *testing.T) {
	for _, test := range []struct {
		events, standing int
		woken            bool
	}{{1, 0, false}, {2, 0, true}, {2, 1, false}} {
		s := prepare(t, options{threads: 2})
		runner := newThread(s.w, 0)
		runner.brings(20, test.events)
		s.w.standing.Add(int32(test.standing))
		runner.next()
		runner.leaveRest()
		s.w.standing.Add(int32(-test.standing))
		if woken := s.w.poller.taken(); woken != test.woken {
			t.Errorf("%d events, %d stand by: woken is %v", test.events, test.standing, woken)
		}
	}
}

// A turn ends early where a request of another thread may want to go on, later where others only stand by, and never
// where nobody is there.
func TestTurnsEnd(t *testing.T) {
	for _, test := range []struct {
		busy, standing int
		lasted         int64
		kept           bool
	}{
		{0, 0, turnTime * 100, true},
		{1, 1, turnTime - 1, true},
		{1, 1, turnTime + 1, false},
		{2, 1, shortTurn - 1, true},
		{2, 1, shortTurn + 1, false},
		{1, 0, shortTurn + 1, false},
	} {
		s := prepare(t, options{threads: 4})
		runner := newThread(s.w, 0)
		runner.holding, runner.began, runner.now = true, 1, 1+test.lasted
		s.w.slot.Add(test.busy)
		s.w.standing.Add(int32(test.standing))
		runner.giveTurn()
		s.w.slot.Add(-test.busy)
		s.w.standing.Add(int32(-test.standing))
		if runner.holding != test.kept {
			t.Errorf("%+v: the GIL is kept: %v", test, runner.holding)
		}
	}
}
