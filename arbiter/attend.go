package arbiter

import "golang.org/x/sys/unix"

// The first process of a container cannot leave to its successor: the kernel would end the whole container. So after an
// upgrade it stays, without workers and sockets, hands signals on to the master that serves, reaps orphans, and ends
// with that master.

// attend keeps process 1 for its successor, and reports whether it does.
func (a *arbiter) attend() bool {
	successor := a.upgrade.successor
	if a.pid != 1 || successor == nil {
		return false
	}
	a.phase = attending
	a.log.Info("Process 1 stays for the new master (pid:%d), and hands signals on to it.", successor.pid())
	successor.release()
	return true
}

// forwardStop lets the new master stop as well when the container is to stop. To process 1 of a container QUIT alone
// means that it leaves to its successor.
func (a *arbiter) forwardStop(s unix.Signal) {
	u := &a.upgrade
	if a.pid != 1 || u.successor == nil || s == unix.SIGQUIT && !u.stopsBoth {
		return
	}
	u.stopsBoth = true
	a.env.kill(u.successor.pid(), s)
}

// attendNext: the master that served has ended. It may have had a successor of its own.
func (a *arbiter) attendNext(status unix.WaitStatus) {
	if a.upgrade.successor = a.env.heir(); a.upgrade.successor != nil {
		return
	}
	a.phase = ended
	a.exitCode = status.ExitStatus()
	if status.Signaled() {
		a.exitCode = 128 + int(status.Signal()) // as shells say it
	}
}
