package scoreboard

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func create(t *testing.T) *Board {
	t.Helper()
	board, err := Create()
	if err != nil {
		t.Fatal(err)
	}
	return board
}

// openAgain maps the same page a second time, as a worker does with the descriptor that it was given.
func openAgain(t *testing.T, board *Board) *Board {
	t.Helper()
	fd, err := unix.Dup(int(board.File().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(fd)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestSlotLayout(t *testing.T) {
	if size := reflect.TypeFor[Slot]().Size(); size != SlotSize {
		t.Fatalf("a slot has %d bytes, want %d", size, SlotSize)
	}
}

func TestSharedBetweenMappings(t *testing.T) {
	master := create(t)
	worker := openAgain(t, master)
	for _, i := range []int{0, 7, MaxSlots - 1} {
		slot, seen := worker.Slot(i), master.Slot(i)
		slot.Beat(int64(1000 + i))
		slot.SetPID(4000 + i)
		slot.SetState(Ready)
		slot.Add(3)
		slot.Add(-1)
		slot.AddRequest()
		if seen.LastBeat() != int64(1000+i) || seen.PID() != 4000+i || seen.State() != Ready {
			t.Errorf("slot %d: beat %d, pid %d, state %v", i, seen.LastBeat(), seen.PID(), seen.State())
		}
		if seen.Busy() != 2 || seen.Requests() != 1 {
			t.Errorf("slot %d: busy %d, requests %d; want 2, 1", i, seen.Busy(), seen.Requests())
		}
		if next := master.Slot((i + 1) % MaxSlots); next.PID() != 0 {
			t.Errorf("slot %d wrote into its neighbour", i)
		}
		seen.Reset()
		if slot.LastBeat() != 0 || slot.PID() != 0 || slot.State() != Free || slot.Busy() != 0 || slot.Requests() != 0 {
			t.Errorf("slot %d is not free after Reset", i)
		}
	}
}

func TestCountersAreAtomic(t *testing.T) {
	slot := create(t).Slot(5)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 1000 {
				slot.Add(1)
				slot.AddRequest()
				slot.Add(-1)
			}
		})
	}
	group.Wait()
	if slot.Busy() != 0 || slot.Requests() != 4000 {
		t.Errorf("busy %d, requests %d; want 0, 4000", slot.Busy(), slot.Requests())
	}
}

func TestOpenRefuses(t *testing.T) {
	small, err := os.CreateTemp(t.TempDir(), "small")
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	fd, err := unix.Dup(int(small.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(fd); err == nil || !strings.Contains(err.Error(), "is no scoreboard") {
		t.Errorf("Open of an empty file: %v", err)
	}
	if _, err := Open(1 << 20); err == nil {
		t.Error("Open of a closed descriptor succeeded")
	}
}

// Whoever else has the page cannot take it away.
func TestSizeIsSealed(t *testing.T) {
	master := create(t)
	worker := openAgain(t, master)
	if err := worker.File().Truncate(0); !errors.Is(err, unix.EPERM) {
		t.Fatalf("Truncate: %v", err)
	}
	master.Slot(MaxSlots - 1).SetPID(1)
}

func TestNowAdvances(t *testing.T) {
	first := Now()
	if second := Now(); first <= 0 || second < first {
		t.Errorf("Now went from %d to %d", first, second)
	}
}

func TestStateNames(t *testing.T) {
	for state, want := range map[State]string{Free: "free", Ready: "ready", Exiting: "exiting", 99: "unknown"} {
		if got := state.String(); got != want {
			t.Errorf("State(%d) = %q, want %q", state, got, want)
		}
	}
}

func TestRequests(t *testing.T) {
	master := create(t)
	worker := openAgain(t, master)
	long := []byte("/" + strings.Repeat("x", 300))
	worker.Request(7, 0).Begin(100, []byte("192.0.2.1"), []byte("GET"), []byte("/a?b"))
	worker.Request(7, ShownThreads-1).Begin(200, nil, []byte("DELETE"), long)
	running := master.Running(7)
	if len(running) != 2 || running[0] != (Running{100, "192.0.2.1", "GET /a?b"}) {
		t.Fatalf("running: %+v", running)
	}
	if r := running[1]; r.Start != 200 || len(r.Line) != lineRoom || !strings.HasPrefix(r.Line, "DELETE /xxx") {
		t.Errorf("a long request line: %+v", r)
	}
	if text := running[0].Describe(100 + 1_500_000_000); text != `"GET /a?b" from ip=192.0.2.1 has run for 1.50 s` {
		t.Error(text)
	}
	if text := running[0].DescribeLost(100 + 1_500_000_000); text != `It ran "GET /a?b" from ip=192.0.2.1 for 1.50 s` {
		t.Error(text)
	}
	if text := running[1].Describe(200); !strings.Contains(text, "from ip=unix has run for 0.00 s") {
		t.Error(text)
	}
	worker.Request(7, 0).End()
	if running := master.Running(7); len(running) != 1 {
		t.Errorf("after the end of one: %+v", running)
	}
	master.Clear(7)
	if running := master.Running(7); running != nil {
		t.Errorf("after Clear: %+v", running)
	}
	if master.Request(7, ShownThreads) != nil {
		t.Error("there is room for one thread more")
	}
	if size := reflect.TypeFor[Request]().Size(); size != RequestSize {
		t.Errorf("a request has %d bytes, want %d", size, RequestSize)
	}
}

func TestIdleThreads(t *testing.T) {
	slot := create(t).Slot(3)
	slot.SetCrew(2, 4)
	slot.Add(1)
	for state, want := range map[State]bool{Booting: false, Ready: true, Draining: false} {
		slot.SetState(state)
		if threads, serves := slot.Idle(2); serves != want || serves && threads != 3 {
			t.Errorf("%v: %d, %v", state, threads, serves)
		}
	}
	slot.SetState(Ready)
	if _, serves := slot.Idle(1); serves {
		t.Error("it serves for another generation")
	}
	slot.SetWaiting(5, 77)
	slot.AddWait(10)
	slot.AddWait(20)
	if n, oldest := slot.Waiting(); n != 5 || oldest != 77 {
		t.Errorf("waiting: %d since %d", n, oldest)
	}
	if n, nanos := slot.Waited(); n != 2 || nanos != 30 {
		t.Errorf("waited: %d for %d", n, nanos)
	}
}

// A limit of file sizes counts for memory files, too: the message says what to raise.
func TestCreateBelowALimit(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1 << 20, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	board, err := Create()
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err == nil || !strings.Contains(err.Error(), "ulimit -f") {
		t.Errorf("%v, %v", board, err)
	}
}
