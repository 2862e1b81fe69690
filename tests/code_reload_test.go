package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// reloads is how often the code was loaded again.
func (s *Server) reloads() int { return strings.Count(s.Log(), "Worker reloading: ") }

// With --reload a save is enough. Other files do not matter, and code that does not load is shown while the old serves.
func TestReloadOfChangedCode(t *testing.T) {
	for _, args := range [][]string{{"--reload"}, {"--reload", "--reload-engine", "poll", "--preload"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			r := newRelease(t)
			extra := filepath.Join(r.dir, "settings.yaml")
			if err := os.WriteFile(extra, []byte("a: 1"), 0o644); err != nil {
				t.Fatal(err)
			}
			args = append(args, "--reload-extra-file", filepath.Join(r.dir, "*.yaml"))
			s := Start(t, Options{Dir: r.dir, Kind: gthreadKind, Args: args})
			s.Expect(`SyntaxError`)
			s.Allow(`failed to boot|exited with code 3|Reload failed`)
			if v := s.version(); v != "one" {
				t.Fatalf("version %s", v)
			}
			r.write(`VERSION = "two!"`)
			eventually(t, "the new code serves", func() bool { return s.version() == "two!" })

			r.write(`VERSION = "three" +`)
			s.WaitLog(`Reload failed, the workers of before go on serving: .*SyntaxError`, 1)
			if v := s.version(); v != "two!" {
				t.Errorf("version %s while the code is broken", v)
			}
			before := s.reloads()
			if err := os.WriteFile(filepath.Join(r.dir, "notes.txt"), []byte("not watched"), 0o644); err != nil {
				t.Fatal(err)
			}
			r.write(`VERSION = "four."`)
			eventually(t, "the mended code serves", func() bool { return s.version() == "four." })
			if n := s.reloads() - before; n != 1 {
				t.Errorf("%d reloads for one change", n)
			}
			if err := os.WriteFile(extra, []byte("a: 22"), 0o644); err != nil {
				t.Fatal(err)
			}
			s.WaitLog(regexp.QuoteMeta("Worker reloading: "+extra+" modified"), 1)
			s.WaitLog(`Reloaded: `, 3)
			s.WaitWorkers(1)
		})
	}
}

// Code that does not load at the first start is no end: the next save may mend it, and requests wait meanwhile.
func TestReloadWaitsForTheFirstCode(t *testing.T) {
	for _, preload := range []string{"--preload=false", "--preload"} {
		t.Run(preload, func(t *testing.T) {
			t.Parallel()
			r := newRelease(t)
			r.write(`VERSION = "one" +`)
			s := Start(t, Options{Dir: r.dir, Kind: syncKind, Workers: 2, Cold: true, Args: []string{"--reload", preload}})
			s.Expect(`SyntaxError`)
			s.Expect(`The application does not load. Waiting for a change of its code.`)
			s.Allow(`failed to boot|exited with code 3|ModuleNotFoundError: No module named 'other'`)
			s.WaitLog(`The application does not load. Waiting for a change`, 1)

			r.write(`from other import VERSION`)
			s.WaitLog(`Waiting for another change of its code: .*No module named 'other'`, 1)

			// A file that was not there before mends it.
			if err := os.WriteFile(filepath.Join(r.dir, "other.py"), []byte("VERSION = 'two'\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			s.AwaitReady()
			if v := s.version(); v != "two" {
				t.Errorf("version %s", v)
			}
		})
	}
}
