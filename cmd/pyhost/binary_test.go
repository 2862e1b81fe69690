package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestBinaryPath(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	link := filepath.Join(directory, "server")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(directory, "other")
	if err := os.WriteFile(other, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for argv0, want := range map[string]string{
		link:            link, // not what it points to: the link may point elsewhere later
		self:            self,
		other:           self, // an invented name
		"no such thing": self,
	} {
		if got := binaryPath(argv0, directory); got != want {
			t.Errorf("%s: %s, want %s", argv0, got, want)
		}
	}
	t.Chdir(directory)
	if got := binaryPath("./server", directory); got != link {
		t.Errorf("a relative name: %s, want %s", got, link)
	}
	t.Setenv("PATH", directory)
	if got := binaryPath("server", directory); got != link {
		t.Errorf("a name on the PATH: %s, want %s", got, link)
	}
}
