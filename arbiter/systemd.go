package arbiter

import (
	"fmt"
	"net"
	"strconv"
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
