package logging

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// LinkFlag is the flag for open(2) that keeps to what the name of a log file is now: O_NOFOLLOW where it is no symbolic
// link, none where it is one that may be followed.
//
// As root no link is followed that somebody else has made. Who may write in the directory of a log, as a worker of the
// setting user often may, could lead it to any file of the machine, and root would write there, or give that file away.
func LinkFlag(path string) (int, error) {
	var link unix.Stat_t
	if unix.Lstat(path, &link) != nil || link.Mode&unix.S_IFMT != unix.S_IFLNK {
		return unix.O_NOFOLLOW, nil
	}
	if os.Geteuid() == 0 && link.Uid != 0 {
		return 0, fmt.Errorf("%s is a symbolic link of user id %d, and root follows only its own: name the file that it "+
			"leads to, or let root make the link", path, link.Uid)
	}
	return 0, nil
}
