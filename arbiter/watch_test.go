package arbiter

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// watched is a watcher on a directory of its own.
type watched struct {
	t       *testing.T
	dir     string
	watcher *watcher
	changes chan string
}

func startWatcher(t *testing.T, engine string) *watched {
	t.Helper()
	w := &watched{t: t, dir: t.TempDir(), changes: make(chan string, 100)}
	w.watcher = newWatcher(
		func(e event) { w.changes <- e.(codeChanged).path },
		func(warning string) { t.Errorf("warning: %s", warning) },
	)
	w.watcher.poll = 20 * time.Millisecond
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		w.watcher.run(done)
		close(ended)
	}()
	t.Cleanup(func() { close(done); <-ended })
	w.order(watchOrder{engine: engine})
	return w
}

// order gives an order and waits until it is carried out: orders are taken one after the other.
func (w *watched) order(order watchOrder) {
	taken := make(chan struct{})
	order.taken = func() { close(taken) }
	w.watcher.orders <- order
	<-taken
}

func (w *watched) path(name string) string { return filepath.Join(w.dir, name) }

func (w *watched) write(name, text string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.path(name), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// expect waits for exactly one change, of any of these files. That there is no second one is seen by the next call.
func (w *watched) expect(names ...string) {
	w.t.Helper()
	select {
	case path := <-w.changes:
		if !slices.ContainsFunc(names, func(name string) bool { return path == w.path(name) }) {
			w.t.Errorf("%s has changed, want %s", path, names)
		}
	case <-time.After(10 * time.Second):
		w.t.Fatalf("the change of %s was not noticed", names)
	}
}

func TestWatcher(t *testing.T) {
	for _, engine := range []string{"auto", "inotify", "poll"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			w := startWatcher(t, engine)
			w.write("a.py", "1")
			w.write("b.py", "1")
			w.write("templates/deep/x.html", "1")
			w.write("real/c.py", "1")
			if err := os.Symlink("real/c.py", w.path("link.py")); err != nil {
				t.Fatal(err)
			}
			w.order(watchOrder{
				files:    []string{w.path("a.py"), w.path("link.py"), w.path("zip.egg/not/there.py")},
				patterns: []string{w.path("templates/**/*.html"), w.path("*.cfg")},
			})

			w.write("b.py", "22") // nobody's
			w.write("notes.txt", "22")
			w.write("a.py", "22")
			w.expect("a.py")

			// An editor writes a new file and renames it over the old one.
			w.write("a.py~", "333")
			if err := os.Rename(w.path("a.py~"), w.path("a.py")); err != nil {
				t.Fatal(err)
			}
			w.expect("a.py")

			// touch
			if err := os.Chtimes(w.path("a.py"), time.Now(), time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			w.expect("a.py")

			// What only looks like a change: other permissions, gone for a moment.
			if err := os.Chmod(w.path("a.py"), 0o600); err != nil {
				t.Fatal(err)
			}
			w.write("real/c.py", "22")
			w.expect("real/c.py", "link.py")

			w.write("templates/deep/x.html", "22")
			w.expect("templates/deep/x.html")
			w.write("templates/new/folder/y.html", "1")
			w.expect("templates/new/folder/y.html")
			w.write("new.cfg", "1")
			w.expect("new.cfg")

			// Code that does not load may lack a file.
			w.order(watchOrder{folders: []string{w.dir}})
			w.write("missing.py", "1")
			w.expect("missing.py")
			select {
			case path := <-w.changes:
				t.Errorf("%s has changed as well", path)
			default:
			}
		})
	}
}

// What was written while the code was loaded, before anybody knew of the file, is a change too.
func TestWatcherThatComesLate(t *testing.T) {
	t.Parallel()
	w := startWatcher(t, "inotify")
	w.write("old.py", "1")
	hour := time.Now().Add(-time.Hour)
	if err := os.Chtimes(w.path("old.py"), hour, hour); err != nil {
		t.Fatal(err)
	}
	since := time.Now().Add(-time.Minute)
	w.order(watchOrder{files: []string{w.path("old.py")}, since: since})
	w.write("new.py", "1")
	w.order(watchOrder{folders: []string{w.dir}, since: since})
	w.expect("new.py")
	w.order(watchOrder{files: []string{w.path("new.py")}, since: since})
	w.write("old.py", "22")
	w.expect("old.py")
}

// Many writes at once are one change.
func TestWatcherWaitsForQuiet(t *testing.T) {
	t.Parallel()
	w := startWatcher(t, "inotify")
	var files []string
	for _, name := range []string{"a.py", "b.py", "c.py"} {
		w.write(name, "1")
		files = append(files, w.path(name))
	}
	w.order(watchOrder{files: files})
	for _, name := range []string{"c.py", "b.py", "a.py", "b.py"} {
		w.write(name, "22")
	}
	w.expect("a.py")
	w.write("c.py", "333")
	w.expect("c.py")
}

// The limits of inotify are told with what to do about them, and once, however many directories there are.
func TestInotifyLimits(t *testing.T) {
	for _, inotify := range []bool{false, true} {
		for errno, remedy := range map[error]string{
			syscall.ENOSPC: "fs.inotify.max_user_watches", syscall.EMFILE: "fs.inotify.max_user_instances",
		} {
			var told []string
			w := newWatcher(func(event) {}, func(warning string) { told = append(told, warning) })
			w.inotify = inotify
			for range 3 {
				w.pollInstead(errno)
				if !inotify { // it gives up
					break
				}
			}
			if len(told) != 1 || !strings.Contains(told[0], remedy) {
				t.Errorf("inotify %v, %v: %q", inotify, errno, told)
			}
		}
	}
}
