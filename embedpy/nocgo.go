//go:build !cgo

// Package embedpy is the only place where Go meets CPython. Built without cgo it has the same names and no Python: the
// rest of the tree compiles and tests without a C compiler.
package embedpy

import (
	"errors"
	"time"
	"unsafe"
)

// ErrNoPython is the answer of a binary that was built with CGO_ENABLED=0.
var ErrNoPython = errors.New("this pyhost was built without cgo and cannot run Python: build it with CGO_ENABLED=1")

// BootError says why the application does not load.
type BootError struct {
	Code             int
	Cause, Traceback string
}

func (e *BootError) Error() string { return e.Cause }

// IsWorker is always false without cgo.
func IsWorker() bool { return false }

// WorkerBoot is empty without cgo.
func WorkerBoot() []byte { return nil }

// WorkerFD is -1 without cgo.
func WorkerFD(int) int { return -1 }

// SetTitle does nothing without cgo.
func SetTitle(string) {}

// TrimResident does nothing without cgo.
func TrimResident() {}

// TrimAgain does nothing without cgo.
func TrimAgain() {}

// Boot fails with ErrNoPython.
func Boot([]string, int, int, int, int) *BootError {
	return &BootError{Code: 3, Cause: ErrNoPython.Error()}
}

// StartThreads fails with ErrNoPython.
func StartThreads(func(int)) error { return ErrNoPython }

// ExchangeOf returns nil without cgo.
func ExchangeOf(int) *Exchange { return nil }

// Call does nothing without cgo.
func Call(int, []byte, []byte) {}

// HasGIL is true without cgo.
func HasGIL() bool { return true }

// AcquireGIL does nothing without cgo.
func AcquireGIL(int) {}

// ReleaseGIL does nothing without cgo.
func ReleaseGIL(int) {}

// ProbeGIL does nothing without cgo.
func ProbeGIL() {}

// Interrupt does nothing without cgo.
func Interrupt(int, uint64) (string, bool) { return "", false }

// Stacks is empty without cgo.
func Stacks() string { return "" }

// DumpStacks is empty without cgo.
func DumpStacks() string { return "" }

// WakeDeadlines does nothing without cgo.
func WakeDeadlines(int) {}

// Forked is always false without cgo.
func Forked() bool { return false }

// CheckSignals does nothing without cgo.
func CheckSignals() (bool, string) { return false, "" }

// SetOutput does nothing without cgo.
func SetOutput(time.Duration, string, int) {}

// DropConn does nothing without cgo.
func DropConn(unsafe.Pointer) {}

// Free does nothing without cgo.
func (t Tail) Free() {}

// RunWorkerExit does nothing without cgo.
func RunWorkerExit() {}

// RunAtExit does nothing without cgo.
func RunAtExit() {}

// Finalize does nothing without cgo.
func Finalize() {}
