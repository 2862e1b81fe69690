package arbiter

import (
	"path/filepath"
	"regexp"
	"sync"

	"github.com/pyhost/pyhost/config"
)

// codeChanged: a watched file is another one than before.
type codeChanged struct{ path string }

// watchDoubt: the watcher cannot do all that it should.
type watchDoubt struct{ warning string }

func (e watchDoubt) apply(a *arbiter) { a.log.Warning("%s", e.warning) }

// apply begins a reload as SIGHUP would.
func (e codeChanged) apply(a *arbiter) {
	if a.phase >= stopping || a.current == nil || !a.current.config.Reload {
		return
	}
	a.log.Info("Worker reloading: %s modified", e.path)
	a.hangUp()
}

// watchConfig watches what a configuration itself names, with the setting reload.
func (a *arbiter) watchConfig(cfg *config.Config) {
	if !cfg.Reload {
		return
	}
	order := watchOrder{engine: cfg.ReloadEngine}
	if cfg.File != "" {
		order.files = append(order.files, cfg.File)
	}
	for _, entry := range cfg.ReloadExtraFiles {
		if config.IsPattern(entry) {
			order.patterns = append(order.patterns, entry)
		} else {
			order.files = append(order.files, entry)
		}
	}
	a.env.watch(order)
}

// sourceLine is how a traceback names a file; <frozen ...> is none.
var sourceLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^\s*File "([^"<][^"]*)", line \d+`)
})

// watchFailed watches what may mend code that does not load: the files of its traceback, and Python files beside them
// that are not there yet.
func (a *arbiter) watchFailed(g *generation, traceback string) {
	if !g.config.Reload {
		return
	}
	order := watchOrder{folders: []string{g.config.Chdir}, since: g.began}
	for _, match := range sourceLine().FindAllStringSubmatch(traceback, -1) {
		path := match[1]
		if !filepath.IsAbs(path) {
			path = filepath.Join(g.config.Chdir, path)
		}
		order.files = append(order.files, path)
	}
	a.env.watch(order)
}

// watchModules watches the files of the modules that a process of g has imported.
func (a *arbiter) watchModules(g *generation, files []string) {
	a.env.watch(watchOrder{files: files, since: g.began})
}

// watchLoaded goes back to what is watched while the code loads.
func (a *arbiter) watchLoaded() {
	if a.current != nil && a.current.config.Reload {
		a.env.watch(watchOrder{folders: []string{}})
	}
}

// awaitChange keeps the master alive where the first code does not load, with the setting reload: the next save may
// mend it. The listeners stay open, so that a browser waits as well.
func (a *arbiter) awaitChange(g *generation) bool {
	if !g.config.Reload {
		return false
	}
	if !g.waiting {
		g.waiting = true
		a.log.Error("The application does not load. Waiting for a change of its code.")
		a.retire(g, true)
	}
	return true
}
