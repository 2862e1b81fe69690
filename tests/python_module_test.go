package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The module pyhost within a worker: numbers, functions after the fork and at the end, with and without --preload.
func TestPythonModule(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		for _, preload := range []bool{false, true} {
			t.Run(fmt.Sprintf("preload=%v", preload), func(t *testing.T) {
				t.Parallel()
				args := []string{"--env=X=1"}
				if preload {
					args = []string{"--preload"}
				}
				s := Start(t, Options{App: "python_module", Kind: kind, Workers: 2, Args: args})
				answers := []string{"1 True True", "2 True True"}
				if r := s.Get("/"); !slices.Contains(answers, string(r.Body)) {
					t.Errorf("%q, want one of %q", r.Body, answers)
				}
				workers := s.Workers()
				s.Signal(syscall.SIGTERM)
				s.WaitExit(0)
				for _, pid := range workers {
					s.WaitLog(fmt.Sprintf(`closed by %d of \[%d\]\n`, pid, pid), 1)
				}
			})
		}
	})
}

// pyhost.log_var and the variables that the application adds to environ are in the access log.
func TestLogVariables(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		for format, want := range map[string]string{
			`"%({user}v)s" %({USER-agent}v)s %({none}v)s %({app.Tenant}e)s %({REMOTE_ADDR}e)s %({wsgi.url_scheme}e)s`: `` +
				`"J\xc3\xbcrgen \"quoted\"" 7 - acme 127.0.0.1 http` + "\n",
			"json": `"vars":{"user":"Jürgen \"quoted\"","User-Agent":"7"}}` + "\n",
		} {
			t.Run(format[:4], func(t *testing.T) {
				t.Parallel()
				s := Start(t, Options{App: "python_module", Kind: kind,
					Args: []string{"--access-logfile", "-", "--access-logformat", format}})
				s.Get("/")
				eventually(t, "the line "+want, func() bool { return strings.HasSuffix(s.Output(), want) })
			})
		}
	})
}

// Where Python's logging takes the access log, its atoms have them, too.
func TestLogVariablesInPythonLogging(t *testing.T) {
	t.Parallel()
	content := strings.ReplaceAll(jsonLogging, `"()": "wsgi.Tagged"`, `"format": "%(message)s"`)
	path, log := loggingConfig(t, "config", content)
	s := Start(t, Options{App: "python_module", Kind: syncKind, Cold: true, Args: []string{"--log-config-json", path,
		"--access-logformat", "%({user}v)s %({none}v)s %({app.Tenant}e)s"}})
	s.FollowLog(log)
	s.AwaitReady()
	s.Get("/")
	s.WaitLog(`J\x{fc}rgen \\"quoted\\" - acme\n`, 1)
}

func TestPythonModuleReload(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "python_module", Kind: syncKind})
	old := s.Workers()[0]
	s.Get("/reload")
	s.WaitLog("Reloaded", 1)
	eventually(t, "another worker", func() bool { return !slices.Contains(s.Workers(), old) })
	s.forgetDescriptors()
}

func TestPythonModuleRequestTimeout(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "python_module", Kind: kind})
		s.Allow(`\[(WARNING|ERROR)\] .*/slow`)
		if r := s.Get("/slow"); r.Status != 504 {
			t.Errorf("status %d", r.Status)
		}
		s.WaitLog("gave up", 1)
	})
}

// run() of a module that the server has imported is a mistake that the log explains.
func TestRunInTheApplication(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "python_module", Kind: syncKind})
	s.Expect(`RuntimeError: the server runs already: run\(\) belongs behind .if __name__ == "__main__":.`)
	s.Get("/run")
}

func TestPythonModuleFunctionsThatFail(t *testing.T) {
	t.Parallel()
	t.Run("postfork", func(t *testing.T) {
		t.Parallel()
		s := Start(t, Options{App: "python_module", Kind: syncKind, Cold: true, Env: []string{"POSTFORK=fails"}})
		s.Expect(`after_fork of pyhost.postfork failed: OSError: no connection`)
		s.Allow(`exited with code 3|Reason: |Exception in worker process`)
		s.WaitExit(3)
	})
	t.Run("worker_exit", func(t *testing.T) {
		t.Parallel()
		s := Start(t, Options{App: "python_module", Kind: syncKind, Env: []string{"WORKER_EXIT=fails"}})
		s.Expect(`\[ERROR\] before_exit of pyhost.worker_exit failed\nTraceback.*OSError: no connection to close`)
		s.Signal(syscall.SIGTERM)
		s.WaitExit(0)
	})
}

// startScript runs a Python program that becomes the server.
func startScript(t *testing.T, options Options, args ...string) *Server {
	t.Helper()
	library, err := filepath.Abs(filepath.Join("..", "python"))
	if err != nil {
		t.Fatal(err)
	}
	path := []string{library, applicationFolder(t, "python_module")}
	options.Program, options.Quiet, options.Args = interpreter, true, args
	options.Env = append(options.Env, "PYHOST_BIN="+binary, "PYTHONPATH="+strings.Join(path, ":"))
	return Start(t, options)
}

// A script serves what it defines, with the settings that it gives, hooks among them; HUP runs it again.
func TestScripts(t *testing.T) {
	t.Parallel()
	script := filepath.Join(applicationFolder(t, "python_module"), "serve.py")
	for _, c := range []struct {
		name, how, body string
		start           []string
	}{
		{"object", "run", "__main__ True run\n", []string{script}},
		{"name", "name", "serve True name\n", []string{script}},
		{"custom", "custom", "__main__ True custom\n", []string{script}},
		{"module", "custom", "__main__ True custom\n", []string{"-m", "serve"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startScript(t, Options{}, append(c.start, c.how, "bind=127.0.0.1:0", "timeout=77")...)
			s.Get("/").Want(t, 200, c.body)
			s.WaitLog(`forked with a timeout of 77`, 1)
			s.Signal(syscall.SIGHUP)
			s.WaitLog("Reloaded", 1)
			s.Get("/").Want(t, 200, c.body)
			s.forgetDescriptors()
		})
	}
}

// A script of gunicorn's is served as it is by naming it, and options win over what it says.
func TestScriptOfGunicorn(t *testing.T) {
	t.Parallel()
	script := filepath.Join(applicationFolder(t, "python_module"), "serve.py")
	s := Start(t, Options{Quiet: true, Env: []string{"BASE=gunicorn", `_PYHOST_SCRIPT={"argv":["","custom","timeout=5"]}`},
		Args: []string{"--python", interpreter, "-c", "script:" + script, "--bind", "127.0.0.1:0", "--timeout", "78"}})
	s.Get("/").Want(t, 200, "__main__ True custom\n")
	s.WaitLog(`forked with a timeout of 78`, 1)
}

// Scripts derive from gunicorn's other class of applications as well.
func TestScriptWithWSGIApplication(t *testing.T) {
	t.Parallel()
	const script = `
from gunicorn.app.wsgiapp import WSGIApplication
class Custom(WSGIApplication):
    def __init__(self, uri, options):
        self.app_uri, self.options = uri, options
        super().__init__()
    def load_config(self):
        for name, value in self.options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)
if __name__ == "__main__":
    Custom("wsgi:application", {"bind": "127.0.0.1:0", "unknown": 1}).run()
`
	s := Start(t, Options{App: "hello", Quiet: true, Env: []string{"PYTHONPATH=" + applicationFolder(t, "hello")},
		Args: []string{"--python", interpreter, "-c", "script:" + filepath.Join(
			writeFiles(t, map[string]string{"serve.py": script}), "serve.py")}})
	s.Get("/").Want(t, 200, "Hello, world!\n")
}

func TestScriptMistakes(t *testing.T) {
	t.Parallel()
	directory := writeFiles(t, map[string]string{
		"nothing.py": "x = 1\n",
		"setting.py": "import pyhost\npyhost.run('a:b', wrokers=3)\n",
		"cfg.py": "from pyhost.app.base import BaseApplication\nclass A(BaseApplication):\n" +
			"    def load_config(self):\n        self.cfg.set('wrokers', 3)\nA().run()\n",
		"value.py": "import pyhost\npyhost.run('a:b', workers='many')\n",
	})
	for file, want := range map[string]string{
		"nothing.py": "DIR/nothing.py ended without pyhost.run(): it serves no application\n",
		"setting.py": "DIR/setting.py: run() got 'wrokers', which is no setting\n",
		"cfg.py":     "AttributeError: No configuration setting for: wrokers\n",
		"value.py":   "Invalid value for workers: 'many' (from script:value.py): must be a whole number of 0 or more\n",
		"none.py":    "Invalid value for config: 'script:none.py' (from the command line): no such file or directory\n",
	} {
		o := runIn(t, directory, nil, "-c", "script:"+file)
		if want = strings.ReplaceAll(want, "DIR", directory); o.code != 1 || !strings.HasSuffix(o.stderr, want) {
			t.Errorf("%s: %+v, want %s", file, o, want)
		}
	}
}

// Without a server the module does nothing, and says so where it has to.
func TestPythonPackageWithoutTheServer(t *testing.T) {
	t.Parallel()
	const script = `
import pyhost, os
from pyhost.app.base import BaseApplication
assert not pyhost.is_pyhost and pyhost.worker_id() == 0
assert pyhost.postfork(len) is len and pyhost.worker_exit(len) is len
pyhost.reload(), pyhost.log_var("a", 1), pyhost.request_timeout(3)
for binary, message in ("", "pyhost is not in $PATH"), ("/no/such", "/no/such cannot be started"):
    os.environ["PYHOST_BIN"], os.environ["PATH"] = binary, "/nowhere"
    try:
        pyhost.run(None)
    except RuntimeError as error:
        assert message in str(error), error
    else:
        raise AssertionError
`
	directory := writeFiles(t, map[string]string{"script.py": script})
	library, err := filepath.Abs(filepath.Join("..", "python"))
	if err != nil {
		t.Fatal(err)
	}
	output := runPython(t, []string{"PYTHONPATH=" + library, "PYTHONDONTWRITEBYTECODE=1", "HOME=" + os.TempDir()},
		filepath.Join(directory, "script.py"))
	if output != "" {
		t.Error(output)
	}
}

// runPython runs a script to its end, and returns what it says.
func runPython(t *testing.T, env []string, args ...string) string {
	t.Helper()
	command := exec.Command(interpreter, args...)
	command.Env = env
	output, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %v", args, err)
	}
	return string(output)
}
