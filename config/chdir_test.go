package config

import (
	"os"
	"testing"
)

func TestInChdir(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ chdir, path, want string }{
		{"/srv", "x.sock", "/srv/x.sock"},
		{"/srv", "/run/x.sock", "/run/x.sock"},
		{"/srv", "\x00x", "\x00x"},
		{"/srv", "", ""},
		{"/srv", "-", "-"},
		{"", "x.sock", "x.sock"},
		{here, "x.sock", "x.sock"},
	}
	for _, test := range tests {
		if got := (&Config{Chdir: test.chdir}).InChdir(test.path); got != test.want {
			t.Errorf("%q in %q is %q, want %q", test.path, test.chdir, got, test.want)
		}
	}
}
