package logging

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// isJournal reports whether a descriptor is systemd's journal: JOURNAL_STREAM names device and inode of the socket
// (systemd.exec(5)), so that a redirected stream is not taken for it.
func isJournal(fd int, variable string) bool {
	var stat unix.Stat_t
	return variable != "" && unix.Fstat(fd, &stat) == nil && variable == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}

// priority is the severity as syslog counts it (RFC 5424 6.2.1).
func priority(severity zerolog.Level) int {
	switch severity {
	case zerolog.DebugLevel:
		return 7
	case zerolog.InfoLevel:
		return 6
	case zerolog.WarnLevel:
		return 4
	case zerolog.ErrorLevel:
		return 3
	}
	return 2
}

// appendJournal puts the level before each line: the journal reads it there and cuts it off (sd-daemon(3)).
func appendJournal(dst, text []byte, severity zerolog.Level) []byte {
	for line := range bytes.Lines(text) {
		dst = append(dst, '<')
		dst = strconv.AppendInt(dst, int64(priority(severity)), 10)
		dst = append(append(dst, '>'), line...)
	}
	return dst
}
