package gate

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/embedpy/libpython"
)

const boundsFile = "testdata/bounds.json"

// Slack of the bounds, as a share. Another build of Python or another compiler makes other code of the same source:
// there the figures of the nearest one that is known only catch what is grossly wrong.
const (
	slack        = 0.03
	foreignSlack = 0.25
)

// count is the instructions of one request: in our C, in libpython, elsewhere (libc, extension modules).
type count struct {
	Ours   int `json:"ours"`
	Python int `json:"libpython"`
	Other  int `json:"other"` // not bounded: libc chooses its code by the processor
}

// counted reads a dump of callgrind: the sum of what each function has cost itself, by the object it is in.
//
// The format is in valgrind's manual, "Callgrind Format Specification". A name is written once, "ob=(2) /path", and
// later as "ob=(2)"; the line after "calls=" is what the callee cost, which is counted there.
func counted(t *testing.T, file string) count {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	names, costs := map[string]string{}, map[string]int{}
	object, callee := "", false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		key, value, assigned := strings.Cut(line, "=")
		switch {
		case assigned && (key == "ob" || key == "cob"):
			id, name, named := strings.Cut(value, " ")
			if named {
				names[id] = path.Base(name)
			}
			if key == "ob" {
				object = names[id]
			}
		case assigned && key == "calls":
			callee = true
		case line != "" && strings.ContainsRune("+-*0123456789", rune(line[0])):
			fields := strings.Fields(line)
			if n, err := strconv.Atoi(fields[len(fields)-1]); err == nil && len(fields) == 2 && !callee {
				costs[object] += n
			}
			callee = false
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return perRequest(t, file, costs)
}

func perRequest(t *testing.T, file string, costs map[string]int) (c count) {
	t.Helper()
	for object, cost := range costs {
		switch {
		case object == "driver":
			c.Ours += cost
		case strings.HasPrefix(object, "libpython"):
			c.Python += cost
		default:
			c.Other += cost
		}
	}
	if c.Ours < repeats || c.Python < repeats {
		t.Fatalf("%s: nothing was counted: %v", file, costs)
	}
	return count{c.Ours / repeats, c.Python / repeats, c.Other / repeats}
}

// describe names what the counts depend on.
func describe(t *testing.T, compiler string, library libpython.Library) string {
	t.Helper()
	answer := func(command, option string) string {
		output, err := exec.Command(command, option).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(output))
	}
	return fmt.Sprintf("%s, cc %s, %s", answer(library.Executable, "--version"), answer(compiler, "-dumpfullversion"),
		runtime.GOARCH)
}

type bounds map[string]map[string]count

func readBounds(t *testing.T) bounds {
	t.Helper()
	text, err := os.ReadFile(boundsFile)
	if err != nil {
		t.Fatal(err)
	}
	known := bounds{}
	if err := json.Unmarshal(text, &known); err != nil {
		t.Fatalf("%s: %v", boundsFile, err)
	}
	return known
}

func writeBounds(t *testing.T, who string, counts map[string]count) {
	t.Helper()
	known := readBounds(t)
	known[who] = counts
	text, err := json.MarshalIndent(known, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(boundsFile, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %+v", who, counts)
}

func checkBounds(t *testing.T, who string, counts map[string]count) {
	t.Helper()
	known := readBounds(t)
	for name, c := range counts {
		t.Logf("%s: %+v", name, c)
		bound, room := known[who][name], slack
		if bound.Ours == 0 {
			bound, room = highest(known, name), foreignSlack
		}
		for _, part := range []struct {
			what       string
			got, bound int
		}{{"our C", c.Ours, bound.Ours}, {"libpython", c.Python, bound.Python}} {
			if limit := float64(part.bound) * (1 + room); float64(part.got) > limit {
				t.Errorf("%s: %d instructions in %s for each request, more than %d and %.0f %%: if that is worth it, "+
					"make gate", name, part.got, part.what, part.bound, room*100)
			}
		}
	}
}

// highest is the largest bound that is known of a case.
func highest(known bounds, name string) (c count) {
	for _, counts := range known {
		c.Ours, c.Python = max(c.Ours, counts[name].Ours), max(c.Python, counts[name].Python)
	}
	return c
}

// A bound has to be able to fail, and a count to be read right.
func TestCounted(t *testing.T) {
	file := t.TempDir() + "/callgrind.out.1"
	dump := "version: 1\npositions: line\nevents: Ir\n\nob=(1) /tmp/x/driver\nfl=(1) call.c\nfn=(1) ph_call\n10 4000\n" +
		"+2 200\ncob=(2) /usr/lib/libpython3.11.so.1.0\ncfn=(2) PyDict_Copy\ncalls=3 20\n* 700000\n-1 200\n\n" +
		"ob=(2)\nfn=(2)\n20 1000\n* 800\ncob=(3) /lib/libc.so.6\ncfn=(3) memcpy\ncalls=1 0\n+1 90000\n\n" +
		"ob=(3)\nfn=(3)\n0 600\n\ntotals: 6800\n"
	if err := os.WriteFile(file, []byte(dump), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := counted(t, file), (count{4400 / repeats, 1800 / repeats, 600 / repeats}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	known := bounds{"a": {"hello": {Ours: 5, Python: 9}}, "b": {"hello": {Ours: 7, Python: 8}}}
	if got, want := highest(known, "hello"), (count{Ours: 7, Python: 9}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
