package tests

import (
	"cmp"
	"crypto/tls"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// example is a configuration file in the style of a well-known deployment, and what has to be seen when it is used.
type example struct {
	file    string
	app     string // folder of pyapps; default "hello"
	module  string // application on the command line; default "wsgi:application", "-" where the file names it
	path    string // that is requested; default "/"
	workers int    // that the file asks for; default 1
	env     []string
	log     []string                      // patterns of the log
	check   func(t *testing.T, s *Server) // what else is to be seen; may stop the server
	after   []string                      // patterns of the log after the stop
}

var examples = []example{
	{file: "django.py", app: "django_project", module: "-", path: "/admin/login/?next=/admin/", workers: 3,
		log: []string{`Using worker: sync`}, check: func(t *testing.T, s *Server) {
			eventually(t, "the access log", func() bool {
				return strings.Contains(s.Output(), `"GET /admin/login/?next=/admin/ HTTP/1.1" 200 `)
			})
		}},
	{file: "flask_docker.py", app: "flask_app", module: "app:app", workers: 2,
		env: []string{"WORKERS_PER_CORE=0.1", "LOG_LEVEL=debug"},
		log: []string{`Using worker: gthread`, `\[WARNING\] .*/flask_docker.py: worker_tmp_dir has no effect`},
		check: func(t *testing.T, s *Server) {
			if !strings.Contains(s.Output(), `"loglevel": "debug", "workers": 2`) {
				t.Errorf("the file printed %q", s.Output())
			}
		}},
	{file: "environment_loop.py", workers: 2,
		env: []string{"GUNICORN_WORKERS=2", "GUNICORN_THREADS=3", "GUNICORN_LOGLEVEL=debug", "GUNICORN_RELOAD=false"},
		log: []string{`Using worker: gthread`}},
	{file: "prometheus.py", workers: 2, env: []string{"METRICS_PORT=0"},
		log: []string{`\[INFO\] metrics are served by`}, after: []string{`\[INFO\] marked \d+ dead`}},
	{file: "apm.py", workers: 2,
		log: []string{`Worker spawned \(pid: \d+\)`, `Using worker: gthread`},
		check: func(_ *testing.T, s *Server) {
			s.WaitLog(`traced GET / 200 OK in time\n`, 1)
			s.WaitLog(`tracer of checkout-\d sent`, 1)
		},
		after: []string{`flushed the tracer of \d+`}},
	{file: "heroku.py", workers: 2, log: []string{`touched app-initialized`}},
	{file: "tls.py", log: []string{`Listening at: https://127`}},
	{file: "raw_env.py", app: "process", check: func(t *testing.T, s *Server) {
		if report := s.process(); report.Environment != "staging" {
			t.Errorf("MARK is %q", report.Environment)
		}
	}},
	{file: "lifecycle_logging.py",
		log: []string{`own: starting with sync`, `about to fork worker 1 of 1`, `Worker spawned \(pid: \d+\)`,
			`<Worker \d+> serves application on http://127\.0\.0\.1:\d+`, `1 workers, were None`},
		after: []string{`bye from \d+`}},
	{file: "worker_int.py",
		log: []string{`Using worker: gthread`},
		check: func(_ *testing.T, s *Server) {
			s.Signal(syscall.SIGINT)
			s.WaitExit(0)
			s.WaitLog(`worker received INT or QUIT signal\n`, 1)
			s.WaitLog(`# Thread: `, 1)
		}},
	{file: "recycling.py", workers: 2, env: []string{"PORT=0"}, check: func(_ *testing.T, s *Server) {
		for range 40 {
			s.Get("/")
		}
		s.WaitLog(`Replacing worker .* it has served \d+ requests`, 1)
		s.forgetDescriptors()
	}},
	{file: "proxied.py", check: func(t *testing.T, s *Server) {
		s.Do("GET /x?y=1 HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n").Want(t, 200, "Hello, world!\n")
		eventually(t, "the access log", func() bool {
			return strings.Contains(s.Output(), "203.0.113.7|") && strings.Contains(s.Output(), "|GET /x|y=1|200|14|")
		})
	}},
	{file: "logconfig.py",
		log: []string{`company gunicorn\.error INFO Booting worker`},
		check: func(t *testing.T, s *Server) {
			s.Get("/health")
			s.Get("/seen")
			s.WaitLog(`company gunicorn\.access INFO .*"GET /seen HTTP/1\.1" 200 14`, 1)
			if strings.Contains(s.Log(), "GET /health") {
				t.Error("the filter is not applied")
			}
		},
		after: []string{`company gunicorn\.error INFO Handling signal: term`}},
	{file: "logger_class.py",
		log: []string{`custom gunicorn\.error \[\d+\] Booting worker`},
		check: func(t *testing.T, s *Server) {
			s.Get("/ping")
			s.Get("/seen")
			eventually(t, "the access log", func() bool {
				return strings.Contains(s.Output(), `"GET /seen HTTP/1.1" 200`)
			})
			if !strings.Contains(s.Output(), "custom gunicorn.access [") || strings.Contains(s.Output(), "/ping") {
				t.Errorf("the access log is %q", s.Output())
			}
		}},
	{file: "shared.py", workers: 2, log: []string{`Using worker: gthread`}},
}

// The files run as they are; only the address is another one, given on the command line.
func TestExampleConfigurations(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	authority.Issue("server")
	for _, e := range examples {
		t.Run(e.file, func(t *testing.T) {
			t.Parallel()
			s := e.start(t, authority)
			s.Allow(`\[WARNING\] .*/flask_docker.py: worker_tmp_dir`)
			if r := e.request(s, authority); r.Status != 200 {
				t.Errorf("status %d", r.Status)
			}
			for _, pattern := range e.log {
				s.WaitLog(pattern, 1)
			}
			if e.check != nil {
				e.check(t, s)
			}
			if !s.Stopped() {
				s.Signal(syscall.SIGTERM)
				s.WaitExit(0)
			}
			for _, pattern := range e.after {
				s.WaitLog(pattern, 1)
			}
		})
	}
}

// start serves an application from a directory of its own, with the file given with -c.
func (e *example) start(t *testing.T, authority *Authority) *Server {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("testdata", "gunicorn", e.file))
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	app, module := applicationFolder(t, cmp.Or(e.app, "hello")), cmp.Or(e.module, "wsgi:application")
	environment := append(e.env, "PYTHONPATH="+app, "DJANGO_DATA_DIR="+directory, "DJANGO_ALLOWED_HOSTS=test",
		"DIRECTORY="+directory, "SECRETS="+authority.directory)
	args := []string{"-c", file, "--python", interpreter, "--chdir", directory, "--bind", "127.0.0.1:0"}
	if module != "-" {
		args = append(args, module)
	}
	return Start(t, Options{Quiet: true, Workers: e.workers, Env: environment, Args: args})
}

func (e *example) request(s *Server, authority *Authority) *Response {
	path := cmp.Or(e.path, "/")
	if e.file != "tls.py" {
		return s.Get(path)
	}
	c := s.DialTLS(&tls.Config{RootCAs: authority.Pool, ServerName: "server"})
	c.Send(get(path))
	return c.Next("GET")
}
