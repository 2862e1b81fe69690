package arbiter

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/pyhost/pyhost/config"
)

const (
	// watchQuiet is how long the files must be left alone before a change counts: an editor writes in several steps, a
	// checkout many files.
	watchQuiet = 100 * time.Millisecond
	// watchPatience bounds that wait, for files that are never left alone.
	watchPatience = 2 * time.Second
	// pollPeriod is gunicorn's, for the reload_engine poll.
	pollPeriod = time.Second
)

// watchOrder adds to what is watched. Files that were watched once stay so.
type watchOrder struct {
	engine   string   // reload_engine; "" leaves it
	files    []string // absolute
	patterns []string // see config.Pattern
	// folders are watched for any Python file, until another order names some or, with an empty list, none: code that
	// does not load may need a file that is new.
	folders []string
	// since is when the code of these files was loaded, at the earliest: one that is new to the watcher and was changed
	// later counts as changed. The zero time says nothing.
	since time.Time
	taken func() // called when the order is carried out; nil calls nothing
}

// stamp tells one state of a file from another; the zero stamp is a file that is not there.
type stamp struct {
	modified time.Time
	size     int64
	inode    uint64
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return stamp{}
	}
	s := stamp{modified: info.ModTime(), size: info.Size()}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = stat.Ino
	}
	return s
}

// pattern is an entry of reload_extra_files that names many files.
type pattern struct {
	expression *regexp.Regexp
	base       string // the directory that holds them all
	deep       bool   // in any depth
}

// watcher notices changes of files, for reload. It belongs to one goroutine, run. What the kernel tells, or the clock,
// is only a hint: a file counts as changed if its stamp is another one.
type watcher struct {
	orders   chan watchOrder
	post     func(event)
	warn     func(string)
	stamps   map[string]stamp
	patterns []pattern
	folders  map[string]bool
	kernel   *fsnotify.Watcher // nil while polling
	inotify  bool              // reload_engine is inotify: never poll
	limited  bool              // it has been told that the kernel does not watch all
	seen     map[string]bool   // directories that the kernel watches
	poll     time.Duration
}

func newWatcher(post func(event), warn func(string)) *watcher {
	return &watcher{
		orders: make(chan watchOrder, 64), post: post, warn: warn, stamps: map[string]stamp{},
		folders: map[string]bool{}, seen: map[string]bool{}, poll: pollPeriod,
	}
}

// run watches until done is closed. The first order decides the engine.
func (w *watcher) run(done <-chan struct{}) {
	defer w.close()
	poll := time.NewTicker(w.poll)
	defer poll.Stop()
	quiet := time.NewTimer(time.Hour)
	hinted := map[string]bool{}
	var since time.Time // of the first hint that was not looked at
	for {
		var told chan fsnotify.Event
		var failed chan error
		if w.kernel != nil {
			told, failed = w.kernel.Events, w.kernel.Errors
		}
		select {
		case <-done:
			return
		case order := <-w.orders:
			w.take(order)
			if order.taken != nil {
				order.taken()
			}
		case e := <-told:
			if w.hint(e, hinted) {
				if since.IsZero() {
					since = time.Now()
				}
				quiet.Reset(min(watchQuiet, max(0, watchPatience-time.Since(since))))
			}
		case err := <-failed:
			w.pollInstead(err) // among others, that events were lost
		case <-quiet.C:
			w.compare(hinted)
			clear(hinted)
			since = time.Time{}
		case <-poll.C:
			if w.kernel == nil && len(hinted) == 0 && w.search(hinted) {
				quiet.Reset(watchQuiet)
			}
		}
	}
}

func (w *watcher) close() {
	if w.kernel != nil {
		_ = w.kernel.Close()
		w.kernel = nil
	}
}

// take carries out an order.
func (w *watcher) take(order watchOrder) {
	if order.engine != "" && w.kernel == nil && order.engine != "poll" {
		w.inotify = order.engine == "inotify"
		kernel, err := fsnotify.NewWatcher()
		if err != nil {
			w.pollInstead(err)
		}
		w.kernel = kernel
	}
	if order.folders != nil {
		clear(w.folders)
	}
	files := order.files
	for _, path := range order.folders {
		w.folders[path] = true
		w.look(path)
		sources, _ := filepath.Glob(filepath.Join(path, "*.py"))
		files = append(files, sources...)
	}
	for _, text := range order.patterns {
		w.addPattern(text)
	}
	late := map[string]bool{}
	for _, path := range files {
		modified := w.addFile(path).modified
		if !order.since.IsZero() && modified.After(order.since) && modified.Before(time.Now()) {
			late[path] = true
			w.stamps[filepath.Clean(path)] = stamp{}
		}
	}
	w.compare(late)
}

// addFile begins to watch a file, and where it is a link, what that points to. It returns the stamp of a file that is
// new to the watcher.
func (w *watcher) addFile(path string) stamp {
	path = filepath.Clean(path)
	if _, known := w.stamps[path]; known {
		return stamp{}
	}
	w.stamps[path] = stampOf(path)
	w.look(filepath.Dir(path))
	if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
		w.addFile(target)
	}
	return w.stamps[path]
}

func (w *watcher) addPattern(text string) {
	expression, err := config.Pattern(text)
	if err != nil {
		return // it was checked with the settings
	}
	base := text
	for config.IsPattern(base) {
		base = filepath.Dir(base)
	}
	p := pattern{expression: expression, base: base, deep: filepath.Dir(text) != base}
	for _, other := range w.patterns {
		if other.expression.String() == expression.String() {
			return
		}
	}
	w.patterns = append(w.patterns, p)
	w.expand(p, func(path string) { w.addFile(path) })
}

// expand calls found for each file that p names, and has the directories of p watched.
func (w *watcher) expand(p pattern, found func(path string)) {
	_ = filepath.WalkDir(p.base, func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // a directory that cannot be read, or has just gone
		case entry.IsDir() && path != p.base && (!p.deep || entry.Name()[0] == '.'):
			return filepath.SkipDir
		case entry.IsDir():
			w.look(path)
		case p.expression.MatchString(path):
			found(path)
		}
		return nil
	})
}

// look has the kernel watch a directory. Files are not watched by themselves: editors replace them.
func (w *watcher) look(directory string) {
	if w.kernel == nil || w.seen[directory] {
		return
	}
	err := w.kernel.Add(directory)
	switch {
	case err == nil:
		w.seen[directory] = true
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENOMEM):
		w.pollInstead(err)
	}
}

// pollInstead gives up on the kernel, unless the user wants nothing else: that is told once, not for each directory.
func (w *watcher) pollInstead(err error) {
	cause := err.Error() + watchRemedy(err)
	switch {
	case !w.inotify:
		w.warn("--reload looks at the files each second from now on: " + cause)
		w.close()
	case !w.limited:
		w.limited = true
		w.warn("--reload may miss changes: " + cause)
	}
}

// watchRemedy says what the kernel means: inotify(7) has limits of its own.
func watchRemedy(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return " for more inotify watches; raise fs.inotify.max_user_watches with sysctl"
	case errors.Is(err, syscall.EMFILE):
		return ", or inotify instances; raise fs.inotify.max_user_instances with sysctl, or ulimit -n"
	}
	return ""
}

// hint notes what an event of the kernel is about; false if that is nothing of ours.
func (w *watcher) hint(e fsnotify.Event, hinted map[string]bool) bool {
	path := filepath.Clean(e.Name)
	if e.Has(fsnotify.Create) {
		for _, p := range w.patterns { // a new directory, perhaps with files in it
			if info, err := os.Stat(path); p.deep && err == nil && info.IsDir() && within(p.base, path) {
				w.expand(p, func(path string) { hinted[path] = true })
			}
		}
	}
	if w.concerns(path) {
		hinted[path] = true
	}
	return len(hinted) > 0
}

func within(base, path string) bool {
	relative, err := filepath.Rel(base, path)
	return err == nil && filepath.IsLocal(relative)
}

func (w *watcher) concerns(path string) bool {
	if _, ours := w.stamps[path]; ours || w.folders[filepath.Dir(path)] && filepath.Ext(path) == ".py" {
		return true
	}
	for _, p := range w.patterns {
		if p.expression.MatchString(path) {
			return true
		}
	}
	return false
}

// everything is what has to be looked at where the kernel does not tell.
func (w *watcher) everything() map[string]bool {
	all := map[string]bool{}
	for path := range w.stamps {
		all[path] = true
	}
	for _, p := range w.patterns {
		w.expand(p, func(path string) { all[path] = true })
	}
	for folder := range w.folders {
		sources, _ := filepath.Glob(filepath.Join(folder, "*.py"))
		for _, path := range sources {
			all[path] = true
		}
	}
	return all
}

// search hints at every file with another stamp than before; false if there is none.
func (w *watcher) search(hinted map[string]bool) bool {
	for path := range w.everything() {
		if stampOf(path) != w.stamps[path] {
			hinted[path] = true
		}
	}
	return len(hinted) > 0
}

// compare looks at files and tells the loop if one has changed. One that has gone is no change: it may be on its way to
// be replaced, and code that goes on without it is told by other files.
func (w *watcher) compare(paths map[string]bool) {
	changed := ""
	for path := range paths {
		now := stampOf(path)
		if now == (stamp{}) || now == w.stamps[path] {
			continue
		}
		w.stamps[path] = now
		if changed == "" || path < changed {
			changed = path
		}
	}
	if changed != "" {
		w.post(codeChanged{path: changed})
	}
}
