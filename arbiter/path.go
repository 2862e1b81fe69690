package arbiter

import (
	"os"
	"path/filepath"

	"github.com/pyhost/pyhost/config"
)

// resolvePath is a path of the configuration as seen from the chdir setting, which the master itself does not follow.
// Empty and abstract paths stay as they are, and so does every path where chdir changes nothing: a Unix socket may
// have a short relative path and a long absolute one.
func resolvePath(cfg *config.Config, path string) string {
	if path == "" || path[0] == 0 || filepath.IsAbs(path) || cfg.Chdir == "" {
		return path
	}
	if here, err := os.Getwd(); err == nil && here == cfg.Chdir {
		return path
	}
	return filepath.Join(cfg.Chdir, path)
}
