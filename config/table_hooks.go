package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Hooks are the functions that the server calls, under gunicorn's names; "" means none. A value is MODULE.FUNCTION, or
// <NAME()> for an object of the Python config file, which stays with the process that evaluated it.
type Hooks struct {
	OnStarting      string `json:"on_starting"`
	OnReload        string `json:"on_reload"`
	WhenReady       string `json:"when_ready"`
	PreFork         string `json:"pre_fork"`
	PostFork        string `json:"post_fork"`
	PostWorkerInit  string `json:"post_worker_init"`
	WorkerInt       string `json:"worker_int"`
	WorkerAbort     string `json:"worker_abort"`
	PreExec         string `json:"pre_exec"`
	PreRequest      string `json:"pre_request"`
	PostRequest     string `json:"post_request"`
	ChildExit       string `json:"child_exit"`
	WorkerExit      string `json:"worker_exit"`
	NWorkersChanged string `json:"nworkers_changed"`
	OnExit          string `json:"on_exit"`
}

// Hook is the value of the hook with this name.
func (c *Config) Hook(name string) string { return *c.hook(name) }

// hook is the field of a hook.
func (h *Hooks) hook(name string) *string {
	switch name {
	case "on_starting":
		return &h.OnStarting
	case "on_reload":
		return &h.OnReload
	case "when_ready":
		return &h.WhenReady
	case "pre_fork":
		return &h.PreFork
	case "post_fork":
		return &h.PostFork
	case "post_worker_init":
		return &h.PostWorkerInit
	case "worker_int":
		return &h.WorkerInt
	case "worker_abort":
		return &h.WorkerAbort
	case "pre_exec":
		return &h.PreExec
	case "pre_request":
		return &h.PreRequest
	case "post_request":
		return &h.PostRequest
	case "child_exit":
		return &h.ChildExit
	case "worker_exit":
		return &h.WorkerExit
	case "nworkers_changed":
		return &h.NWorkersChanged
	case "on_exit":
		return &h.OnExit
	}
	panic("config: no hook " + name)
}

// hookSettings have no options: functions are named in a config file.
var hookSettings = []*Setting{
	hookSetting("on_starting", "(server)",
		"in the forkserver, before the sockets are opened"),
	hookSetting("on_reload", "(server)",
		"in the forkserver, at a reload, before the new workers are forked"),
	hookSetting("when_ready", "(server)",
		"in the forkserver, when the server listens and before the first worker is forked; again in "+
			"each forkserver that takes over"),
	hookSetting("pre_fork", "(server, worker)",
		"in the forkserver, before each fork"),
	hookSetting("post_fork", "(server, worker)",
		"in the worker, before the application is imported"),
	hookSetting("post_worker_init", "(worker)",
		"in the worker, when the application is imported"),
	hookSetting("worker_int", "(worker)",
		"in the worker, when it is told to leave at once (INT, QUIT)"),
	hookSetting("worker_abort", "(worker)",
		"in the worker, when it has timed out (ABRT)"),
	hookSetting("pre_exec", "(server)",
		"in the forkserver, before a new master is started (USR2)"),
	hookSetting("pre_request", "(worker, req)",
		"in the worker, before each request"),
	hookSetting("post_request", "(worker, req, environ, resp)",
		"in the worker, after each request"),
	hookSetting("child_exit", "(server, worker)",
		"in the forkserver, after a worker has ended"),
	hookSetting("worker_exit", "(server, worker)",
		"in the worker, before it ends"),
	hookSetting("nworkers_changed", "(server, new_value, old_value)",
		"in the forkserver, when the number of workers changes"),
	hookSetting("on_exit", "(server)",
		"in the forkserver, before the server ends"),
}

func hookSetting(name, signature, when string) *Setting {
	return &Setting{
		Name: name, Section: "Server Hooks", Type: String, Default: "",
		Doc:   fmt.Sprintf("A function of Python, %s%s, that is called %s.", name, signature, when),
		field: func(c *Config) any { return c.hook(name) },
		item:  hookItem,
	}
}

var dottedName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([\pL_][\pL\pN_]*\.)+[\pL_][\pL\pN_]*$`)
})

func hookItem(_, text string) (string, error) {
	if text != "" && !strings.HasPrefix(text, "<") && !dottedName().MatchString(text) {
		return "", errors.New("must be a function as MODULE.FUNCTION")
	}
	return text, nil
}
