package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// ladder are the sources from the weakest to the strongest; each makes setting say text, or is nil if it cannot.
var ladder = []func(s *scene, setting *Setting, text string){
	func(s *scene, setting *Setting, text string) {
		if setting.Name == "bind" {
			text = strings.TrimPrefix(text, "0.0.0.0:")
		}
		if setting.Env != "" {
			s.env[setting.Env] = text
		}
	},
	func(s *scene, setting *Setting, text string) {
		quoted := text
		if setting.Type == String || setting.Type == List {
			quoted = fmt.Sprintf("%q", text)
		}
		s.files["pyhost.toml"] = setting.Name + " = " + quoted
	},
	func(s *scene, setting *Setting, text string) {
		s.env["GUNICORN_CMD_ARGS"] = "--" + setting.Flags[0] + "=" + text
	},
	func(s *scene, setting *Setting, text string) {
		s.env["PYHOST_CMD_ARGS"] = "--" + setting.Flags[0] + "=" + text
	},
	func(s *scene, setting *Setting, text string) { s.env[setting.Variable()] = text },
	func(s *scene, setting *Setting, text string) { s.args = append(s.args, "--"+setting.Flags[0]+"="+text) },
}

func TestPrecedenceOfEveryPair(t *testing.T) {
	for _, tt := range []struct {
		setting, low, high string
		want               any
	}{
		{"workers", "2", "3", 3},
		{"bind", "0.0.0.0:1", "0.0.0.0:2", []string{"0.0.0.0:2"}},
		{"forwarded_allow_ips", "10.0.0.1", "10.0.0.2", []string{"10.0.0.2"}},
		{"proc_name", "low", "high", "high"},
		{"preload_app", "true", "false", false},
		{"preload_app", "false", "true", true},
	} {
		setting := settingNamed(tt.setting)
		for low := range ladder {
			for high := low + 1; high < len(ladder); high++ {
				s := scene{args: []string{"m:a"}, env: map[string]string{}, files: map[string]string{}}
				ladder[low](&s, setting, tt.low)
				ladder[high](&s, setting, tt.high)
				if got := value(s.load(t), tt.setting); !reflect.DeepEqual(got, tt.want) {
					t.Errorf("%s: source %d against %d gives %v, want %v", tt.setting, low, high, got, tt.want)
				}
			}
		}
	}
}

func TestDefaultsFromTheEnvironment(t *testing.T) {
	for _, tt := range []struct {
		setting  string
		env      map[string]string
		args     []string
		want     any
		wantFrom string
	}{
		{"bind", map[string]string{"PORT": "5000"}, nil, []string{"0.0.0.0:5000"}, "$PORT"},
		{"bind", map[string]string{"PORT": ""}, nil, []string{"127.0.0.1:8000"}, "the default"},
		{"bind", map[string]string{"PORT": "tcp://10.0.0.1:80"}, []string{"-b:1"}, []string{":1"}, "the command line"},
		{"workers", map[string]string{"WEB_CONCURRENCY": " 4 "}, nil, 4, "$WEB_CONCURRENCY"},
		{"workers", map[string]string{"WEB_CONCURRENCY": ""}, nil, 1, "the default"},
		{"workers", map[string]string{"WEB_CONCURRENCY": "auto"}, []string{"-w2"}, 2, "the command line"},
		{"workers", map[string]string{"PYHOST_WORKERS": ""}, nil, 1, "the default"},
		{"forwarded_allow_ips", map[string]string{"FORWARDED_ALLOW_IPS": "*"}, nil, []string{"*"}, "$FORWARDED_ALLOW_IPS"},
		{
			"forwarded_allow_ips", map[string]string{"FORWARDED_ALLOW_IPS": "*"}, []string{"--forwarded-allow-ips="},
			[]string{}, "the command line",
		},
		{"sendfile", map[string]string{"SENDFILE": "no"}, nil, false, "$SENDFILE"},
		{"sendfile", map[string]string{"SENDFILE": "y"}, nil, true, "$SENDFILE"},
		{"sendfile", map[string]string{"SENDFILE": "1"}, []string{"--no-sendfile"}, false, "the command line"},
		{"script_name", map[string]string{"SCRIPT_NAME": "/a"}, nil, "/a", "$SCRIPT_NAME"},
		{"script_name", map[string]string{"SCRIPT_NAME": "/"}, nil, "", "$SCRIPT_NAME"},
		{
			"script_name", map[string]string{"SCRIPT_NAME": "/a"}, []string{"-eSCRIPT_NAME=/b", "-eX=1"}, "/b",
			"raw_env, the command line",
		},
		{
			"script_name", map[string]string{"SCRIPT_NAME": "/a"}, []string{"-eSCRIPT_NAME="}, "",
			"raw_env, the command line",
		},
		{
			"script_name", map[string]string{"PYHOST_SCRIPT_NAME": "/a"}, []string{"-eSCRIPT_NAME=/b"}, "/a",
			"$PYHOST_SCRIPT_NAME",
		},
	} {
		c := scene{args: append([]string{"m:a"}, tt.args...), env: tt.env}.load(t)
		if got := value(c, tt.setting); !reflect.DeepEqual(got, tt.want) || c.Source[tt.setting] != tt.wantFrom {
			t.Errorf("%v %v: %s is %v from %s, want %v from %s",
				tt.env, tt.args, tt.setting, got, c.Source[tt.setting], tt.want, tt.wantFrom)
		}
	}
}

func TestListsReplaceLowerLayersWhole(t *testing.T) {
	s := scene{
		args:  []string{"m:a", "-b", ":4", "-b", ":5"},
		env:   map[string]string{"GUNICORN_CMD_ARGS": "-b :2 -b :3 -e A=1"},
		files: map[string]string{"pyhost.toml": "bind = \":1\"\nraw_env = [\"B=1\", \"C=1\"]\n"},
	}
	c := s.load(t)
	if want := []string{":4", ":5"}; !reflect.DeepEqual(c.Bind, want) {
		t.Errorf("bind is %v, want %v", c.Bind, want)
	}
	if want := []string{"A=1"}; !reflect.DeepEqual(c.RawEnv, want) {
		t.Errorf("raw_env is %v, want %v", c.RawEnv, want)
	}
}

func TestResolvedWorkerClass(t *testing.T) {
	for args, want := range map[string]string{
		"":                        "sync",
		"--threads 4":             "gthread",
		"-k sync --threads 2":     "gthread",
		"-k sync --threads 1":     "sync",
		"-k gthread":              "gthread",
		"-k egg:gunicorn#gthread": "gthread",
		"-k gunicorn.workers.sync.SyncWorker --threads 3": "gthread",
	} {
		if got := (scene{args: append([]string{"m:a"}, strings.Fields(args)...)}).load(t).WorkerClass; got != want {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		name string
		scene
		want []string
	}{
		{"nothing to say", scene{args: []string{"m:a", "-w1", "--threads=999"}}, nil},
		{
			"no workers", scene{args: []string{"m:a", "-w0"}},
			[]string{"workers is 0 (from the command line): no worker is started, and connections wait until the signal " +
				"TTIN adds one"},
		},
		{
			"fewer connections than threads", scene{args: []string{"m:a", "--threads=5", "--worker-conn=4"}},
			[]string{"threads is 5 but worker_connections is 4: a worker never has work for all its threads"},
		},
		{
			"no connection to keep", scene{args: []string{"m:a", "--threads=4", "--worker-conn=4"}},
			[]string{"threads and worker_connections are both 4: no idle connection can be kept alive"},
		},
		{"no connection to keep, nor wanted", scene{args: []string{"m:a", "--threads=4", "--worker-co=4", "--keep=0"}}, nil},
		{
			"a gunicorn config file", scene{args: []string{"m:a"}, files: map[string]string{"gunicorn.conf.py": "workers = 3"}},
			[]string{"./gunicorn.conf.py is not read: Python config files are not supported in this version; use command " +
				"line options or a TOML file"},
		},
		{
			"a gunicorn config file not asked for",
			scene{args: []string{"m:a", "-cx.toml"}, files: map[string]string{"gunicorn.conf.py": "", "x.toml": ""}}, nil,
		},
		{
			"two default files", scene{args: []string{"m:a"}, files: map[string]string{
				"pyhost.toml": "workers = 2", "pyproject.toml": "[tool.pyhost]\nworkers = 3",
			}},
			[]string{"[tool.pyhost] in ./pyproject.toml is not read because ./pyhost.toml is"},
		},
		{
			"pyproject.toml of another", scene{args: []string{"m:a"}, files: map[string]string{
				"pyhost.toml": "workers = 2", "pyproject.toml": "[project]\ndependencies = [\"pyhost\"]",
			}}, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.load(t).Warnings; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("warnings are %q, want %q", got, tt.want)
			}
		})
	}
}

// TestLoadAgain is what a SIGHUP does: the same arguments, the files as they are by then.
func TestLoadAgain(t *testing.T) {
	s := scene{args: []string{"m:a"}, files: map[string]string{"pyhost.toml": "workers = 2"}}
	dir := s.dir(t)
	for _, want := range []int{2, 5} {
		text := fmt.Sprintf("workers = %d", want)
		if err := os.WriteFile(filepath.Join(dir, "pyhost.toml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := load(s.args, s.environment(), dir)
		if err != nil || c.Workers != want {
			t.Fatalf("load: %+v, %v; want %d workers", c, err, want)
		}
	}
}

// TestLoadAsksTheProcess goes through the exported function: the names of variables come from the process.
func TestLoadAsksTheProcess(t *testing.T) {
	t.Setenv("PYHOST_THREADS", "3")
	t.Chdir(t.TempDir())
	c, err := Load([]string{"m:a"}, os.Getenv, "")
	if err != nil || c.Threads != 3 {
		t.Fatalf("Load: %+v, %v", c, err)
	}
	if wd, _ := os.Getwd(); c.Chdir != wd {
		t.Errorf("chdir is %q, want %q", c.Chdir, wd)
	}
	t.Setenv("PYHOST_THREAD", "3")
	t.Setenv("_PYHOST_FORKSERVER", "3")
	_, err = Load([]string{"m:a"}, os.Getenv, "")
	want := "pyhost: variable PYHOST_THREAD is unknown; did you mean PYHOST_THREADS?"
	if err == nil || err.Error() != want {
		t.Errorf("Load: %v, want %s", err, want)
	}
}
