package static

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// tree makes files, and links written "-> target", below a directory and returns it.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := cutPrefix(content, "-> "); ok {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(content), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func cutPrefix(s, prefix string) (string, bool) {
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):], true
	}
	return s, false
}

// contained are paths and the content that they lead to; "" = none.
var contained = map[string]string{
	"/s/a.txt":                   "a",
	"/s/sub/b.txt":               "b",
	"/s/%61.txt":                 "a",
	"/s/sub%2Fb.txt":             "b",
	"/s/with%20space+plus":       "c",
	"/s/%2541":                   "percent",
	"/s/inside":                  "b",
	"/s/.well-known/security":    "known",
	"/s/deep/b.txt":              "b",
	"/s/":                        "",
	"/s/sub":                     "",
	"/s/sub/":                    "",
	"/s//a.txt":                  "",
	"/s/../secret":               "",
	"/s/%2e%2e/secret":           "",
	"/s/%2E%2E%2Fsecret":         "",
	"/s/sub/../../secret":        "",
	"/s/./a.txt":                 "",
	"/s/%252e%252e/secret":       "",
	"/s/a.txt%00":                "",
	"/s/a.txt%00.html":           "",
	"/s/%zz":                     "",
	"/s/.hidden":                 "",
	"/s/.git/config":             "",
	"/s/%2egit/config":           "",
	"/s/outside":                 "",
	"/s/absolute":                "",
	"/s/dir-outside/secret":      "",
	"/s/loop":                    "",
	"/s/sub/outside-in-two-hops": "",
	"/s/fifo":                    "",
	"/s/missing":                 "",
	"/s//etc/passwd":             "",
	"/s/%2fetc/passwd":           "",
}

// Whatever the path says, nothing but regular files below the root are opened.
func TestContainment(t *testing.T) {
	dir := tree(t, map[string]string{
		"secret":                      "secret",
		"pub/a.txt":                   "a",
		"pub/sub/b.txt":               "b",
		"pub/with space+plus":         "c",
		"pub/%41":                     "percent",
		"pub/.hidden":                 "hidden",
		"pub/.git/config":             "hidden",
		"pub/.well-known/security":    "known",
		"pub/inside":                  "-> sub/b.txt",
		"pub/up-and-in":               "-> ../pub/a.txt",
		"pub/outside":                 "-> ../secret",
		"pub/absolute":                "-> /etc/passwd",
		"pub/dir-outside":             "-> ..",
		"pub/loop":                    "-> loop",
		"pub/sub/outside-in-two-hops": "-> ../outside",
	})
	root := filepath.Join(dir, "pub")
	if err := unix.Mkfifo(filepath.Join(root, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	mounts, err := Open([]string{"/s=" + root, "/s/deep/=" + filepath.Join(root, "sub")})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range contained {
		target, ok := mounts.Match([]byte(path))
		if !ok {
			t.Errorf("%s does not match", path)
			continue
		}
		got := ""
		if f, err := target.open("br, gzip"); err == nil {
			content, _ := io.ReadAll(f)
			got = string(content)
			f.Close()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"/", "/s", "/static/a.txt", "/S/a.txt", "*"} {
		if _, ok := mounts.Match([]byte(path)); ok {
			t.Errorf("%s matches", path)
		}
	}
}

func TestBelow(t *testing.T) {
	dir := tree(t, map[string]string{"real/a": "a", "link": "-> real"})
	root, err := OpenRoot(filepath.Join(dir, "link"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"a":                             "a",
		filepath.Join(dir, "link/a"):    "a",
		filepath.Join(dir, "real/a"):    "a",
		filepath.Join(dir, "real/b/c"):  "b/c",
		filepath.Join(dir, "reality/a"): "",
		filepath.Join(dir, "real/../x"): "",
		"/etc/passwd":                   "",
	} {
		got, err := root.Below(path)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
}

func TestAccepts(t *testing.T) {
	for list, want := range map[string]bool{
		"gzip": true, "br, GZIP": true, "gzip;q=0.5": true, " gzip ; q=1": true, "br": false, "": false, "gzip;q=0": false,
		"gzip;q=0.000": false, "x-gzip": false, "gzip;q=x": false, "*": false,
	} {
		if got := accepts(list, "gzip"); got != want {
			t.Errorf("%q: %v", list, got)
		}
	}
}

func TestContentType(t *testing.T) {
	for name, want := range map[string]string{
		"a.CSS": "text/css; charset=utf-8", "a.b.js": "text/javascript; charset=utf-8", "a.svg": "image/svg+xml",
		"a.unheard-of": "application/octet-stream", "README": "application/octet-stream", "a.tar.gz": "application/gzip",
	} {
		if got := contentType(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestByteRanges(t *testing.T) {
	for _, tt := range []struct {
		value string
		size  int64
		want  string
	}{
		{"bytes=0-1", 7, "bytes=0-1"}, {"BYTES=0-1", 7, "bytes=0-1"}, {"bytes=-0", 7, "bytes=7-"},
		{"bytes=0-0, -00", 7, "bytes=0-0,7-"}, {"bytes=-10", 7, "bytes=-10"}, {"bytes=-", 7, "bytes=-"}, {"lines=1-2", 7, ""},
		{"bytes", 7, "bytes="}, {"bytes=-5", 0, ""},
	} {
		if got := byteRanges(tt.value, tt.size); got != tt.want {
			t.Errorf("%s of %d: %q, want %q", tt.value, tt.size, got, tt.want)
		}
	}
}
