package arbiter

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/logging"
	"golang.org/x/sys/unix"
)

// The settings user and group are about the workers: each takes them on right after its fork, in the forkserver's
// child. The master stays what it is, so that it can bind low ports and open log files again. What it makes for the
// workers it gives to them: the sockets' files and the log files.

// checkOwner refuses an owner that this process may not turn its workers into.
func checkOwner(cfg *config.Config) error {
	if cfg.RunAs == nil || mayChangeOwner() {
		return nil
	}
	return errors.New("running the workers as another user or group (--user, --group) needs root: start pyhost as root, " +
		"or start it as that user and leave the options out")
}

// mayChangeOwner says whether this process has CAP_SETUID and CAP_SETGID, as root usually has.
func mayChangeOwner() bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return os.Geteuid() == 0
	}
	_, effective, _ := strings.Cut(string(status), "\nCapEff:\t")
	effective, _, _ = strings.Cut(effective, "\n")
	capabilities, err := strconv.ParseUint(effective, 16, 64)
	const needed = 1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID
	return err == nil && capabilities&needed == needed
}

// ownLogs makes the log files and gives them to the owner of the workers, who open them by name. The error is nil if
// they need not change hands.
func ownLogs(cfg *config.Config) error {
	if cfg.RunAs == nil {
		return nil
	}
	for _, path := range []string{cfg.ErrorLog, cfg.AccessLog} {
		if path == "" || path == "-" {
			continue
		}
		if err := ownFile(cfg.InChdir(path), cfg.RunAs); err != nil {
			return fmt.Errorf("giving a log file to the user of the workers: %w", err)
		}
	}
	return nil
}

// ownFile leaves alone what is no plain file: /dev/null, a pipe.
func ownFile(path string, owner *config.Owner) error {
	follow, err := logging.LinkFlag(path)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NONBLOCK|follow, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	return file.Chown(owner.UID, owner.GID)
}
