package arbiter

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// When systemd hears of another main process (MAINPID=) it looks whether that is its own child. If it is another's,
// `systemctl stop` does not wait for it: what is left of the service is killed at once (KillMode=mixed). A new master
// is the old one's child until that has ended, and then systemd listens to nobody who could name it
// (NotifyAccess=main). So the old master names a herald, which waits for that end and then names the new master.

// envHerald holds the pids of the old and the new master.
const envHerald = "_PYHOST_HERALD"

const (
	heraldLook     = time.Millisecond // how often the herald looks whether the old master has ended
	heraldPatience = 10 * time.Second // until it speaks all the same
)

// introduce is for the last words of a master; see env. The herald holds the leash: the new master is promoted, and
// speaks for itself, when the herald has ended.
func (y *system) introduce(s successorLink) {
	main := s.pid()
	if next, ok := s.(*successor); ok && next.leash != nil && os.Getenv("NOTIFY_SOCKET") != "" {
		if herald, err := startHerald(main, next.leash); err == nil {
			main = herald
		}
	}
	y.notify(fmt.Sprintf("MAINPID=%d", main))
}

func startHerald(master int, leash *os.File) (int, error) {
	return shielded(func() (int, error) {
		return syscall.ForkExec("/proc/self/exe", []string{"pyhost: herald"}, &syscall.ProcAttr{
			Env:   append(os.Environ(), fmt.Sprintf("%s=%d %d", envHerald, os.Getpid(), master)),
			Files: []uintptr{0, 1, 2, leash.Fd()},
		})
	})
}

// Herald does the work of a herald and reports whether this process is one.
func Herald() bool {
	var old, master int
	if n, _ := fmt.Sscan(os.Getenv(envHerald), &old, &master); n != 2 {
		return false
	}
	for began := time.Now(); unix.Getppid() == old && time.Since(began) < heraldPatience; {
		time.Sleep(heraldLook) // the end of a pipe would come before the kernel gives the children to another parent
	}
	notifySystemd(os.Getenv("NOTIFY_SOCKET"), fmt.Sprintf("MAINPID=%d", master))
	return true
}
