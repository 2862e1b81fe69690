package workers

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOwnership(t *testing.T) {
	var c conn
	steps := []struct {
		name string
		do   func() bool
		want bool
		then int32
	}{
		{"claim an idle one", c.claim, true, connBusy},
		{"an event while it is busy", c.claim, false, connMore},
		{"another", c.claim, false, connMore},
		{"release with news", func() bool { return c.release(1) }, false, connBusy},
		{"release", func() bool { return c.release(2) }, true, connIdle},
		{"event of data", func() bool { return c.notify(unix.EPOLLIN) }, true, connBusy},
		{"event of the end", func() bool { return c.notify(unix.EPOLLIN | unix.EPOLLRDHUP) }, false, connMore},
	}
	for _, s := range steps {
		if got := s.do(); got != s.want || c.state.Load() != s.then {
			t.Errorf("%s: %v, state %d", s.name, got, c.state.Load())
		}
	}
	if !c.ended.Load() || c.since.Load() != 2 {
		t.Errorf("ended %v, since %d", c.ended.Load(), c.since.Load())
	}
	c.state.Store(connClose)
	if c.claim() {
		t.Error("a closed connection was claimed")
	}
}

// Every byte is followed by an event. However events, reads and releases interleave, one owner reads at a time, and no
// byte is left when nobody owns the connection.
func TestNoEventIsLost(t *testing.T) {
	const bytes, pollers = 20000, 4
	var c conn
	var sent, read, owners atomic.Int64
	events := make(chan bool, pollers)
	serve := func() {
		if owners.Add(1) != 1 {
			t.Error("two owners")
		}
		for {
			read.Store(sent.Load())
			owners.Add(-1)
			if c.release(0) {
				return
			}
			owners.Add(1)
		}
	}
	var running sync.WaitGroup
	for range pollers {
		running.Go(func() {
			for range events {
				if c.claim() {
					serve()
				}
			}
		})
	}
	for range bytes {
		sent.Add(1)
		events <- true
	}
	close(events)
	running.Wait()
	if read.Load() != bytes || c.state.Load() != connIdle {
		t.Errorf("%d of %d bytes read, state %d", read.Load(), bytes, c.state.Load())
	}
}

// An event that the poller reported before its connection was closed means nothing to the next one with its descriptor.
func TestStaleEvents(t *testing.T) {
	table := newTable(10)
	first, _ := table.add(5)
	if table.find(5, first.generation.Load()) != first {
		t.Fatal("the connection is not found")
	}
	table.forget(first)
	if table.find(5, first.generation.Load()) != nil {
		t.Error("a removed connection is found")
	}
	second, _ := table.add(5)
	if table.find(5, first.generation.Load()) != nil || table.find(5, second.generation.Load()) != second {
		t.Error("an old event finds the new connection")
	}
	if _, ok := table.add(10); ok {
		t.Error("a descriptor beyond the table was added")
	}
	table.gone()
	if n := table.count.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// After billions of connections a generation is still not one of the poller's own tags.
func TestGenerationsStartAnew(t *testing.T) {
	table := newTable(1)
	table.nextID.Store(math.MaxUint32 - 5)
	for range 10 {
		c, _ := table.add(0)
		if c.generation.Load() == tagListener || c.generation.Load() == tagReady || table.find(0, c.generation.Load()) != c {
			t.Errorf("generation %d", c.generation.Load())
		}
		table.forget(c)
	}
}
