package config

import "testing"

// The answers are those of Python's glob.glob(pattern, recursive=True).
func TestPattern(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		{"/a/*.html", "/a/x.html", true},
		{"/a/*.html", "/a/.html", false},
		{"/a/*.html", "/a/.x.html", false},
		{"/a/*.html", "/a/b/x.html", false},
		{"/a/**/*.html", "/a/x.html", true},
		{"/a/**/*.html", "/a/b/c/x.html", true},
		{"/a/**/*.html", "/a/.git/x.html", false},
		{"/a/**", "/a/b/c", true},
		{"/a/**", "/b/c", false},
		{"/a/x?z", "/a/xyz", true},
		{"/a/x?z", "/a/x/z", false},
		{"/a/?", "/a/.", false},
		{"/a/x*", "/a/x", true},
		{"/a/x*", "/a/x.y", true},
		{"/a/.*", "/a/.env", true},
		{"/a/[xy]z", "/a/yz", true},
		{"/a/[!xy]z", "/a/yz", false},
		{"/a/[!xy]z", "/a/qz", true},
		{"/a/x+(y)$", "/a/x+(y)$", true},
	} {
		pattern, err := Pattern(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
		} else if got := pattern.MatchString(tt.path); got != tt.want {
			t.Errorf("%s matches %s: %v, want %v (%s)", tt.pattern, tt.path, got, tt.want, pattern)
		}
	}
	if _, err := Pattern("/a/[x"); err == nil {
		t.Error("an open [ is accepted")
	}
}
