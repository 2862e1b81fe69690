package arbiter

import (
	"fmt"
	"math"
	"net"
	"strconv"
	"time"
)

// firstPassedFD is SD_LISTEN_FDS_START of sd_listen_fds(3).
const firstPassedFD = 3

// passedSockets are the binds of the sockets that systemd passed to process pid, by sd_listen_fds(3); nil = none.
func passedSockets(getenv func(string) string, pid int) []string {
	if getenv("LISTEN_PID") != strconv.Itoa(pid) {
		return nil
	}
	count, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || count <= 0 {
		return nil
	}
	binds := make([]string, 0, count)
	for fd := firstPassedFD; fd < firstPassedFD+count; fd++ {
		binds = append(binds, fmt.Sprintf("fd://%d", fd))
	}
	return binds
}

// watchdogPeriod is how often the service manager wants to hear from process pid, by sd_watchdog_enabled(3); 0 = it
// does not. After an upgrade the variable that names the process is gone.
func watchdogPeriod(getenv func(string) string, pid int) time.Duration {
	if named := getenv("WATCHDOG_PID"); named != "" && named != strconv.Itoa(pid) {
		return 0
	}
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || usec <= 0 || usec > math.MaxInt64/int64(time.Microsecond) {
		return 0
	}
	return time.Duration(usec) * time.Microsecond
}

// watchdog tells systemd that the loop of the master runs (WatchdogSec=), twice as often as it wants to hear it.
type watchdog struct {
	period time.Duration // 0 = nobody wants to hear it
	tellAt time.Duration
}

// feed keeps the watchdog quiet. Nobody else calls it: if the loop hangs, systemd restarts the service.
func (a *arbiter) feed() {
	w := &a.watchdog
	if w.period == 0 || w.tellAt != 0 && !a.due(w.tellAt) {
		return
	}
	w.tellAt = a.after(w.period / 2)
	a.tell("WATCHDOG=1")
}

// status is what `systemctl status` shows.
func (g *generation) status() string { return fmt.Sprintf("STATUS=%d %s", g.size(), g.noun()) }

// noun is what g has size() of.
func (g *generation) noun() string {
	if g.size() == 1 {
		return "worker"
	}
	return "workers"
}

// notifySystemd sends a state to the service manager, by sd_notify(3): socket is $NOTIFY_SOCKET, empty without a
// manager. A leading @ is an abstract address, in package net as in systemd. Errors are dropped: nobody could do
// anything about them.
func notifySystemd(socket, state string) {
	if socket == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return
	}
	_, _ = conn.Write([]byte(state))
	_ = conn.Close()
}
