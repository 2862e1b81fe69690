package tests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// validated says how each application of pyapps is asked through wsgiref.validate: requests whose answers begin with
// body. "//" stands for the application's place in pyapps/validated.
var validated = []struct {
	app, body string
	requests  []string
}{
	{"framing", "", []string{get("//"), post("//", "a")}},
	{"slow", "0", []string{get("//")}},
	{"hello", "", []string{"HEAD // HTTP/1.1\r\nHost: test\r\n\r\n"}},
	{"hooks", "Hello, world!\n", []string{get("//")}},
	{"holes", "{", []string{get("//small")}},
	{"hello", "Hello, world!\n", []string{get("//"), post("//", "body"), "GET // HTTP/1.0\r\n\r\n"}},
	{"app_threads", "190", []string{get("//join")}},
	{"bad_response", "", []string{get("//good")}},
	{"bench_conduct:app", "", []string{get("//"), get("//closed")}},
	{"bench_flask:app", "Hello, World!\n", []string{get("//")}},
	{"bench_wsgi:app:big", "0123456789", []string{get("//")}},
	{"bench_wsgi:app:echo", "body", []string{post("//", "body")}},
	{"bench_wsgi:app:file", "0123456789", []string{get("//")}},
	{"bench_wsgi:app:generator", "0000", []string{get("//")}},
	{"bench_wsgi:app:hello", "Hello, World!\n", []string{get("//")}},
	{"bench_wsgi:app:stream", "0123456789", []string{get("//")}},
	{"close", "", []string{get("//list"), get("//complete"), get("//not-modified")}},
	{"early_hints", "", []string{get("//")}},
	{"environ", `{"type": "dict"`, []string{get("//%20path?query"), chunked("//", "a")}},
	{"errors_stream", "complained", []string{get("//")}},
	{"exceptions", "", []string{get("//pid/")}},
	{"expect", "body", []string{post("//read", "body")}},
	{"factory:wsgi:instance", "instance", []string{get("//")}},
	{"file_wrapper", "content", []string{get("//whole"), get("//counted?7")}},
	{"flask_app:app:app", "", []string{get("//"), get("//login"), get("//missing")}},
	{"greenlets", "", []string{get("//juggle"), get("//stepwise"), get("//abandoned"), post("//inside", "body")}},
	{"input", `[`, []string{
		post("//?read:-1", inputBody), chunked("//?read:-1", inputBody), post("//?readline:100,iterate", inputBody),
		post("//?readlines", inputBody),
	}},
	{"iterables", "a", []string{get("//list"), get("//generator"), get("//iterator"), get("//tuple"), get("//set")}},
	{"leak", "", []string{get("//"), get("//generator"), get("//write"), get("//file"), post("//", "body")}},
	{"length", "0123456789", []string{get("//blocks?10"), get("//generator?10"), get("//write?10"), get("//one?10")}},
	{"logging_app", "done", []string{get("//")}},
	{"no_body", "", []string{get("//204/empty"), get("//304/empty"), get("//204/generator"), get("//304/list")}},
	{"offload", "not sent", []string{get("//"), get("//lazy")}},
	{"process", "{", []string{get("//")}},
	{"python_module", "1 True", []string{get("//")}},
	{"response_headers", "body", []string{get("//cookies"), get("//server"), get("//date")}},
	{"shared", "one ", []string{get("//")}},
	{"signal_handler", "0", []string{get("//")}},
	{"sqlite", "", []string{get("//")}},
	{"start_response", "", []string{get("//replaced"), get("//lazy")}},
	{"subprocesses", "", []string{get("//dispositions"), get("//pool")}},
	{"tls", "xx", []string{get("//2")}},
	{"threads", "{", []string{get("//")}},
	{"upload", "200000 ", []string{post("//", strings.Repeat("x", 200000))}},
	{"version", "one ", []string{get("//")}},
	{"write_callable", "", []string{get("//only"), get("//mixed")}},
}

// notValidated are the applications that the validator must refuse, or that say nothing through it, and why.
var notValidated = map[string]string{
	"after_end":       "goes on with responses that are over",
	"bench_bottle":    "Bottle is installed for the benchmark only",
	"bench_django":    "its settings are not those of django_project: one process has one",
	"bench_falcon":    "Falcon is installed for the benchmark only",
	"client_socket":   "the same socket object is wanted that the validator leaves alone",
	"django_project":  "has a test of its own below",
	"environ_mutated": "clears the environ, which the validator looks at afterwards",
	"exit_handler":    "is about the end of the process",
	"kept":            "is about the end of the process",
	"flush":           "waits at a gate",
	"late_use":        "uses start_response and write when their request is over",
	"pyramid_app":     "is made by PasteDeploy, in a test of its own",
	"parallel":        "lets several threads answer one request",
	"outcomes":        "is about how requests end",
	"odd_objects":     "gives what PEP 3333 does not ask for",
	"size_limit":      "lets no file grow while it answers",
	"unloadable":      "does not load",
	"validated":       "is the validator",
	"stuck":           "asks for time limits, and does not end",
	"stuck_import":    "never imported to its end",
}

// wsgiref.validate stands between the server and each well-behaved application, and has nothing to say: an
// AssertionError of it would be a 500 and a traceback in the log, a late one an unexpected log line.
func TestValidatorIsSilent(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
		eager := "EAGER=signal_handler sqlite"
		for _, v := range validated {
			if v.app == "slow" || strings.HasPrefix(v.app, "bench_wsgi:") {
				eager += " " + v.app // opens a file when it is imported
			}
		}
		s := Start(t, Options{App: "validated", Kind: kind, Env: []string{
			"FILE=" + file, "FLASK_UPLOAD_DIR=" + t.TempDir(), eager,
		}})
		for _, v := range validated {
			if v.app == "sqlite" && kind.Threads > 1 {
				continue // its connection is the importing thread's
			}
			if v.app == "greenlets" && freeThreaded() && !hasModule("greenlet") {
				continue
			}
			for _, request := range v.requests {
				request = strings.Replace(request, "//", "/"+v.app+"/", 1)
				r := s.Do(request)
				if r.Status >= 500 && r.Reason != "Replaced" || !strings.HasPrefix(r.Body, v.body) {
					t.Errorf("%s, %.60q: %d %.100q", v.app, request, r.Status, r.Body)
				}
			}
		}
		s.wantNoComplaint()
	})
}

func TestValidatorIsSilentOnDjango(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "validated", Kind: kind, Env: []string{
			"DJANGO_DATA_DIR=" + t.TempDir(), "DJANGO_ALLOWED_HOSTS=test",
		}})
		r := s.Get("/django_project:mysite.wsgi/admin/login/")
		if r.Status != 200 || !strings.Contains(r.Body, "csrfmiddlewaretoken") {
			t.Errorf("%d %.200q", r.Status, r.Body)
		}
		s.wantNoComplaint()
	})
}

func (s *Server) wantNoComplaint() {
	s.t.Helper()
	for _, complaint := range []string{"AssertionError", "garbage collected without being closed", "WSGIWarning"} {
		if strings.Contains(s.Log(), complaint) {
			s.t.Errorf("the validator complains: %s", complaint)
		}
	}
}

// Every application is validated, or is in the list of those that cannot be.
func TestEveryApplicationIsValidated(t *testing.T) {
	t.Parallel()
	asked := map[string]bool{}
	for _, v := range validated {
		folder, _, _ := strings.Cut(v.app, ":")
		asked[folder] = true
	}
	folders, err := os.ReadDir(filepath.Join("..", "pyapps"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		name := folder.Name()
		if folder.IsDir() && asked[name] == (notValidated[name] != "") {
			t.Errorf("pyapps/%s belongs into one of the two lists", name)
		}
		delete(notValidated, name)
	}
	for name := range notValidated {
		t.Errorf("pyapps/%s is not there", name)
	}
}
