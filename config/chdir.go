package config

import (
	"os"
	"path/filepath"
)

// InChdir is a path of the configuration as seen from the chdir setting, which the master itself does not follow.
// Empty and abstract paths stay as they are, and "-"; so does every path where chdir changes nothing: a Unix socket may
// have a short relative path and a long absolute one.
func (c *Config) InChdir(path string) string {
	if path == "" || path == "-" || path[0] == 0 || filepath.IsAbs(path) || c.Chdir == "" {
		return path
	}
	if here, err := os.Getwd(); err == nil && here == c.Chdir {
		return path
	}
	return filepath.Join(c.Chdir, path)
}
