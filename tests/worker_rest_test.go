package tests

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// mappedPython is how much of libpython's code and constants a process has mapped, in KiB.
func mappedPython(t *testing.T, pid int) (kib int) {
	t.Helper()
	smaps, err := os.Open(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer smaps.Close()
	ours := false
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		line := lines.Text()
		var size int
		if fields := strings.Fields(line); len(fields) > 4 && len(fields[1]) == len("r-xp") {
			ours = strings.Contains(line, "/libpython") && fields[1][1] == '-'
		} else if n, _ := fmt.Sscanf(line, "Rss: %d", &size); n == 1 && ours {
			kib += size
		}
	}
	return kib
}

// A worker that has served much, and then has nothing to do, gives back the pages of program files; and serves on.
func TestResidentAtRest(t *testing.T) {
	s := Start(t, Options{App: "hello", Workers: 2})
	workers := s.WaitWorkers(2)
	load := s.Load(LoadOptions{Clients: 4, Pause: time.Microsecond})
	load.Await(500)
	busy := map[int]int{}
	for _, pid := range workers {
		busy[pid] = mappedPython(t, pid)
	}
	load.Await(2500) // one of the two has had a thousand since then
	load.EndWithoutLoss()
	eventually(t, "a worker gives back libpython's pages", func() bool {
		for pid, kib := range busy {
			if mappedPython(t, pid) < kib/2 {
				return true
			}
		}
		return false
	})
	s.Dial().Roundtrip(get("/")).Want(t, 200, "Hello, world!\n")
}
