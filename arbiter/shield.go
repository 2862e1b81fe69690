package arbiter

import (
	"math/bits"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// shielded runs start, which executes a program, with the signals that the master handles blocked: the new process
// inherits that and would otherwise end of them until it has come to say what it makes of them. They often go to all
// processes of the server, by `systemctl kill` for example. The program unblocks them.
func shielded(start func() (int, error)) (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var blocked, before unix.Sigset_t
	for _, s := range handledSignals {
		n := uint(s.(syscall.Signal)) - 1
		blocked.Val[n/bits.UintSize] |= 1 << (n % bits.UintSize)
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &blocked, &before); err != nil {
		return 0, err
	}
	pid, err := start()
	if restoreErr := unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil); err == nil {
		err = restoreErr
	}
	return pid, err
}
