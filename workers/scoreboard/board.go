// Package scoreboard is the memory page that the master shares with its workers: one slot per worker, written by the
// worker and read by the master. The master judges timeouts from it alone, so a stuck or dead worker can block nobody.
package scoreboard

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// MaxSlots is how many workers a board has room for. Two generations live side by side during a reload.
	MaxSlots = 1024
	// SlotSize is the room of one slot in bytes: whole cache lines, so that two workers never write to the same one.
	SlotSize = 256

	boardSize = MaxSlots * (SlotSize + ShownThreads*RequestSize)
)

// Board is the mapped page. All methods may be called from any goroutine; Close must come after the last use of a Slot.
type Board struct {
	file *os.File
	*page
}

// page is what is mapped: slots lie close together, so that whoever looks at all of them reads little.
type page struct {
	slots    [MaxSlots]Slot
	requests [MaxSlots][ShownThreads]Request
}

// Create makes an empty board in a memfd (close-on-exec) and maps it. Pages that no worker has written cost nothing.
func Create() (*Board, error) {
	fd, err := unix.MemfdCreate("pyhost-scoreboard", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("creating the scoreboard: %w", err)
	}
	if err := unix.Ftruncate(fd, boardSize); err != nil {
		_ = unix.Close(fd)
		if errors.Is(err, unix.EFBIG) { // memory files count, too
			return nil, fmt.Errorf("sizing the scoreboard: %w: the limit of file sizes (ulimit -f, LimitFSIZE=) "+
				"must be %d MiB at least", err, (boardSize+1<<20-1)>>20)
		}
		return nil, fmt.Errorf("sizing the scoreboard: %w", err)
	}
	// A worker that truncated it, an application's slip with a descriptor, would end the master with SIGBUS.
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("sealing the scoreboard: %w", err)
	}
	return open(fd)
}

// Open maps the board behind fd, which some other process made with Create. The board owns fd from here on, and closes
// it when mapping fails. An fd that is too small to be a board is an error.
func Open(fd int) (*Board, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, fmt.Errorf("opening the scoreboard on descriptor %d: %w", fd, err)
	}
	if stat.Size < boardSize {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("descriptor %d is no scoreboard: it has %d bytes of %d", fd, stat.Size, boardSize)
	}
	unix.CloseOnExec(fd)
	return open(fd)
}

func open(fd int) (*Board, error) {
	// MmapPtr gives the page as a pointer: the slots are used in place, as the atomics that they are declared to be.
	mapped, err := unix.MmapPtr(fd, 0, nil, boardSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("mapping the scoreboard: %w", err)
	}
	return &Board{file: os.NewFile(uintptr(fd), "scoreboard"), page: (*page)(mapped)}, nil
}

// File is the memfd behind the board, to be passed to a worker. It stays the board's: do not close it.
func (b *Board) File() *os.File { return b.file }

// Slot is the slot of worker i, 0 <= i < MaxSlots; it panics beyond. The slot lives in the shared page.
func (b *Board) Slot(i int) *Slot { return &b.slots[i] }
