package socket

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// MaxRights is how many descriptors one packet can bring along.
const MaxRights = 2

// rights is a control message with descriptors (SCM_RIGHTS), as the kernel wants it in memory.
type rights struct {
	header unix.Cmsghdr
	fds    [MaxRights]int32
}

// SendRights sends p as one packet together with descriptors, at most MaxRights, without waiting. They stay the
// caller's.
func SendRights(fd int, p []byte, fds ...int) unix.Errno {
	var control rights
	n := copyRights(control.fds[:], fds)
	control.header.Level, control.header.Type = unix.SOL_SOCKET, unix.SCM_RIGHTS
	control.header.SetLen(unix.CmsgLen(4 * n))
	for {
		_, errno := message(unix.SYS_SENDMSG, fd, p, &control, unix.CmsgSpace(4*n), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if errno != unix.EINTR {
			return errno
		}
	}
}

// ReceiveRights takes one packet, without waiting; what does not fit into p is lost. fds has the count descriptors that
// came with it, close-on-exec and the caller's.
func ReceiveRights(fd int, p []byte) (n int, fds [MaxRights]int, count int, errno unix.Errno) {
	var control rights
	for {
		control = rights{}
		n, errno = message(unix.SYS_RECVMSG, fd, p, &control, int(unsafe.Sizeof(control)),
			unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		if errno != unix.EINTR {
			break
		}
	}
	if errno != 0 || control.header.Level != unix.SOL_SOCKET || control.header.Type != unix.SCM_RIGHTS {
		return n, fds, 0, errno
	}
	// Where this process has no descriptors left, some have not come.
	count = min((int(control.header.Len)-unix.CmsgLen(0))/4, MaxRights)
	for i := range count {
		fds[i] = int(control.fds[i])
	}
	return n, fds, count, 0
}

func copyRights(to []int32, fds []int) int {
	n := min(len(to), len(fds))
	for i := range n {
		to[i] = int32(fds[i])
	}
	return n
}

// message is sendmsg or recvmsg of one packet.
func message(call uintptr, fd int, p []byte, control *rights, controlLength, flags int) (int, unix.Errno) {
	piece := unix.Iovec{Base: unsafe.SliceData(p)}
	piece.SetLen(len(p))
	header := unix.Msghdr{Iov: &piece, Control: (*byte)(unsafe.Pointer(control))}
	header.SetIovlen(1)
	header.SetControllen(controlLength)
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&header)), uintptr(flags))
	return int(n), errno
}
