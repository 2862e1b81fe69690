package tests

import (
	"path/filepath"
	"strings"
	"testing"
)

// A PasteDeploy file of a Pyramid application brings application, settings and logging along.
func TestPyramid(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		folder := applicationFolder(t, "pyramid_app")
		for _, c := range []struct {
			name string
			args []string
			site string
		}{
			{"", nil, "development"},
			{"#other", nil, "other"},
			{"", []string{"--paste-global", "site=global"}, "global"},
			{"", []string{"--preload"}, "development"},
		} {
			t.Run(c.name+strings.Join(c.args, ""), func(t *testing.T) {
				t.Parallel()
				args := append([]string{"--python", interpreter, "--pythonpath", folder,
					"--paste", filepath.Join(folder, "development.ini") + c.name}, c.args...)
				s := Start(t, Options{Quiet: true, Workers: 2, Kind: kind, Args: append(args, kind.Args...)})
				s.Get("/items/tea").Want(t, 200, `{"item": "tea", "site": "`+c.site+`"}`)
				s.Do(post("/items/tea", "12345")).Want(t, 200, "5 bytes")
				if r := s.Get("/missing"); r.Status != 404 {
					t.Errorf("status %d", r.Status)
				}
				s.WaitLog(`pyramid INFO \[shop\] asked for tea\n`, 1)
				s.WaitLog(`Booting worker`, 2)
			})
		}
	})
}

func TestPasteMistakes(t *testing.T) {
	t.Parallel()
	directory := writeFiles(t, map[string]string{
		"section.ini": "[app:other]\nuse = call:wsgi:make\n",
		"app.ini":     "[app:main]\nuse = call:wsgi:missing\n",
		"setting.ini": "[app:main]\nuse = call:wsgi:make\n[server:main]\nuse = egg:pyhost#main\nwrokers = 3\n",
	})
	for file, want := range map[string]string{
		"none.ini":    "Invalid value for --paste: 'none.ini': no such file or directory\n",
		"section.ini": "LookupError: No section 'main' (prefixed by 'app' or 'application' or 'composite' or ",
		"app.ini":     "AttributeError: module 'wsgi' has no attribute 'missing'",
		"setting.ini": "setting.ini, line 5: setting 'wrokers' is unknown; did you mean workers?\n",
	} {
		o := runIn(t, directory, nil, "--check-config", "--paste", file)
		if o.code != 1 || !strings.Contains(o.stderr, want) {
			t.Errorf("%s: %+v, want %s", file, o, want)
		}
	}
}
