package main

import (
	"os"
	"os/exec"
	"path/filepath"
)

// binaryPath is where SIGUSR2 looks for a new binary: the name on the command line as the shell found it, so that a
// symbolic link is followed anew. It must be asked for at the start: later the file may have another name, or be gone.
func binaryPath(argv0, directory string) string {
	self, err := os.Executable()
	if err != nil {
		self = argv0
	}
	named, err := exec.LookPath(argv0)
	if err != nil {
		return self
	}
	if !filepath.IsAbs(named) {
		named = filepath.Join(directory, named)
	}
	// The caller of execve chooses argv[0] freely.
	ours, err1 := os.Stat("/proc/self/exe")
	theirs, err2 := os.Stat(named)
	if err1 != nil || err2 != nil || !os.SameFile(ours, theirs) {
		return self
	}
	return named
}
