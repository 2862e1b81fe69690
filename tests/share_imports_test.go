package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// A library that share_imports names is imported once, before the fork; without --preload the application is not, and a
// reload brings both anew.
func TestSharedLibrary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../pyapps/shared")); err != nil {
		t.Fatal(err)
	}
	s := Start(t, Options{Dir: dir, Workers: 2, Args: []string{"--share-imports", "library, json"}})
	want := func(body string) {
		t.Helper()
		for range 4 {
			s.Dial().Roundtrip(get("/")).Want(t, 200, body)
		}
	}
	want("one forkserver")
	source, err := os.ReadFile(filepath.Join(dir, "library.py"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "library.py"), append(source, "VERSION = 'two, which is newer'\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	want("one forkserver")
	s.reload()
	want("two, which is newer forkserver")
}

func TestNothingShared(t *testing.T) {
	t.Parallel()
	for _, words := range []string{"none", "", "stdlib", "auto"} {
		s := Start(t, Options{App: "shared", Args: []string{"--share-imports=" + words}})
		s.Dial().Roundtrip(get("/")).Want(t, 200, "one worker")
	}
}

// Names that cannot be imported cost a line of the log each, and nothing else.
func TestSharedImportsFail(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "shared", Args: []string{"--share-imports", "no_such.module,library"}})
	s.Expect(`\[WARNING\] share_imports: no_such.module is not shared, its import failed: ` +
		`ModuleNotFoundError: No module named 'no_such'\n`)
	s.Dial().Roundtrip(get("/")).Want(t, 200, "one forkserver")
}

// Of an application that begins with its framework only that is imported before the fork: no settings, no application.
func TestSharedFramework(t *testing.T) {
	t.Parallel()
	for _, framework := range []string{"django", "flask"} {
		t.Run(framework, func(t *testing.T) {
			t.Parallel()
			requireModule(t, framework)
			for words, shared := range map[string]bool{"auto": true, "stdlib": false} {
				s := Start(t, Options{App: "shared", Module: framework + "_site", Env: []string{
					"DJANGO_SETTINGS_MODULE=django_settings",
				}, Args: []string{"--share-imports", words}})
				var found, want struct {
					Shared, Configured, Apps, Settings bool
					Zone                               string
				}
				body := s.Get("/").Body
				if err := json.Unmarshal([]byte(body), &found); err != nil {
					t.Fatalf("%v in %q", err, body)
				}
				want.Shared = shared
				if framework == "django" {
					want.Settings, want.Zone = true, "Europe/Paris"
				}
				if found != want {
					t.Errorf("--share-imports %s: %+v, want %+v", words, found, want)
				}
			}
		})
	}
}
