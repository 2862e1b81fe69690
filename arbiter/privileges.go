package arbiter

import (
	"errors"
	"fmt"
	"math"
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

// checkOwner refuses an owner that this process may not turn its workers into, or whose workers it may not kill.
func checkOwner(cfg *config.Config) error {
	if cfg.RunAs == nil {
		return nil
	}
	const needs = "running the workers as another user or group (--user, --group) needs "
	effective := effectiveCapabilities()
	missing := missingRights(effective, cfg.RunAs.UID != os.Geteuid())
	switch {
	case missing == nil:
		return nil
	case effective == 0 && os.Geteuid() != 0:
		return errors.New(needs + "root: start pyhost as root, or start it as that user and leave the options out")
	}
	return fmt.Errorf(needs+"what this process lacks: %s. Add that (docker run --cap-add, systemd's "+
		"CapabilityBoundingSet=), or start pyhost as that user and leave the options out", strings.Join(missing, ", "))
}

// missingRights names the capabilities that a master needs and has not: to make the workers another user's, and then to
// kill one that hangs.
func missingRights(effective uint64, foreign bool) (missing []string) {
	for _, right := range []struct {
		name   string
		number int
		needed bool
	}{
		{"CAP_SETUID", unix.CAP_SETUID, true}, {"CAP_SETGID", unix.CAP_SETGID, true}, {"CAP_KILL", unix.CAP_KILL, foreign},
	} {
		if right.needed && effective>>right.number&1 == 0 {
			missing = append(missing, right.name)
		}
	}
	return missing
}

// effectiveCapabilities is a set of bits. Where /proc does not tell them, root has all and others have none.
func effectiveCapabilities() uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil && os.Geteuid() == 0 {
		return math.MaxUint64
	}
	_, effective, _ := strings.Cut(string(status), "\nCapEff:\t")
	effective, _, _ = strings.Cut(effective, "\n")
	capabilities, _ := strconv.ParseUint(effective, 16, 64) // 0 with an error
	return capabilities
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
