//go:build cgo

// Package embedpy is the only place where Go meets CPython: the loader of libpython, the forkserver's constructor, and
// one C call per request. It is the only package with cgo.
package embedpy

// #include <stdlib.h>
// #include "embedpy.h"
// #cgo noescape ph_call
// #cgo nocallback ph_call
// #cgo noescape ph_gil_stand_by
// #cgo nocallback ph_gil_stand_by
// #cgo noescape ph_gil_release
// #cgo nocallback ph_gil_release
// #cgo nocallback ph_forked
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

func init() {
	// The main goroutine stays on the process's first thread: it is Python's main thread too.
	runtime.LockOSThread()
	if IsWorker() {
		C.ph_timers_exact() // sysmon is running by now
	}
	// os.Args point into the memory that SetTitle writes over.
	for i, arg := range os.Args {
		os.Args[i] = strings.Clone(arg)
	}
	if unsafe.Sizeof(Exchange{}) != unsafe.Sizeof(C.ph_exchange{}) {
		panic("embedpy: Exchange and ph_exchange differ")
	}
}

// IsWorker reports whether this process came out of the forkserver as a worker, with Python alive on its main thread.
func IsWorker() bool { return C.ph_role() == C.PH_ROLE_WORKER }

// WorkerBoot is the JSON text of the wire.WorkerBoot that this worker was forked with.
func WorkerBoot() []byte {
	var length C.size_t
	text := C.ph_worker_boot(&length)
	return C.GoBytes(unsafe.Pointer(text), C.int(length))
}

// WorkerFD is the i-th descriptor that came with it (control socket, scoreboard, listeners), or -1.
func WorkerFD(i int) int { return int(C.ph_worker_fd(C.int(i))) }

// SetTitle changes what ps shows for this process; it is cut to the room of the original command line.
func SetTitle(title string) {
	text := C.CString(title)
	defer C.free(unsafe.Pointer(text))
	C.ph_title_set(text, C.size_t(len(title)))
}

// TrimResident lets go of the mapped pages of program files, most of which a process needs to start only. It is for a
// process that has started; it reads /proc/self/smaps, which takes a few ms.
func TrimResident() { C.ph_resident_trim() }

// TrimAgain does the same for the executable and libpython alone, in some microseconds; TrimResident must have been
// called. What is needed again costs a soft fault for each 64 KiB.
func TrimAgain() { C.ph_resident_trim_again() }

// BootError says why the application does not load.
type BootError struct {
	Code      int    // the worker's exit code, 3 or 4 as in gunicorn
	Cause     string // one line
	Traceback string
}

func (e *BootError) Error() string { return e.Cause }

// Boot imports the application of WorkerBoot and prepares the Python threads.
//
// keys are the names that environ frames refer to by number; errorFD is where wsgi.errors writes; a byte is written to
// wakeFD when a Python signal handler is due; noteFD is the end of a socket pair for package python's notes, Python's
// from here on. Main thread only, once; the GIL stays held.
func Boot(keys []string, errorFD, wakeFD, noteFD, threads int) *BootError {
	if err := importModule("_pyhost_worker"); err != nil {
		return &BootError{Code: 3, Cause: err.Error()}
	}
	names := C.CString(strings.Join(keys, "\x00"))
	defer C.free(unsafe.Pointer(names))
	code := C.ph_boot(names, C.int(len(keys)), C.int(errorFD), C.int(wakeFD), C.int(noteFD), C.int(threads))
	if code == 0 {
		return nil
	}
	return bootError(int(code))
}

func bootError(code int) *BootError {
	return &BootError{Code: code, Cause: C.GoString(C.ph_boot_error()), Traceback: C.GoString(C.ph_boot_traceback())}
}

// threadMain is what a Python thread runs in Go; set before the threads start.
var threadMain func(thread int)

//export goPythonThread
func goPythonThread(thread C.int) {
	threadMain(int(thread))
}

// StartThreads starts the Python threads 1 to threads-1 as threading.Thread objects; each calls run once and ends when
// run returns. Main thread only; afterwards no thread holds the GIL.
func StartThreads(run func(thread int)) error {
	threadMain = run
	if C.ph_threads_start() != 0 {
		e := bootError(3)
		return fmt.Errorf("%s\n%s", e.Cause, e.Traceback)
	}
	return nil
}

// ExchangeOf returns the exchange of a Python thread.
func ExchangeOf(thread int) *Exchange {
	return (*Exchange)(unsafe.Pointer(C.ph_exchange_of(C.int(thread))))
}

// Call runs one request: frame and body are read during the call only, the rest is in the thread's Exchange.
// It runs on the Python thread itself and never calls back into Go.
func Call(thread int, frame, body []byte) {
	C.ph_call(C.int(thread), (*C.uint8_t)(unsafe.SliceData(frame)), (*C.uint8_t)(unsafe.SliceData(body)))
}

// HasGIL reports whether threads run Python one at a time: not so in a free-threaded one. Any goroutine, in a worker.
func HasGIL() bool { return C.ph_gil_exists() != 0 }

// AcquireGIL waits for the GIL, in the order of those that do, and keeps it until ReleaseGIL or a call without
// FlagKeepGIL. That Python thread only.
func AcquireGIL(thread int) { C.ph_gil_stand_by(C.int(thread)) }

// ReleaseGIL lets go of the GIL that AcquireGIL, or a call with FlagKeepGIL, kept. That Python thread only.
func ReleaseGIL(thread int) { C.ph_gil_release(C.int(thread)) }

// ProbeGIL waits until it had the GIL once. It must run on a locked goroutine of its own, never on a Python thread.
func ProbeGIL() { C.ph_gil_probe() }

// Interrupt raises RequestTimeout in request serial of a Python thread, if it still runs, and returns where that thread
// was. It waits for the GIL: it must run on a locked goroutine of its own, never on a Python thread.
func Interrupt(thread int, serial uint64) (stack string, done bool) {
	var text *C.char
	var length C.size_t
	done = C.ph_interrupt(C.int(thread), C.uint64_t(serial), &text, &length) != 0
	return takeText(text, length), done
}

// Stacks is where all Python threads are. As Interrupt, it waits for the GIL.
func Stacks() string {
	var length C.size_t
	text := C.ph_stacks(&length)
	return takeText(text, length)
}

// DumpStacks is the same as faulthandler writes it, without the GIL. It is for a process that is about to be given up:
// threads that run on meanwhile can crash it.
func DumpStacks() string {
	var length C.size_t
	text := C.ph_stacks_dump(&length)
	return takeText(text, length)
}

func takeText(text *C.char, length C.size_t) string {
	if text == nil {
		return ""
	}
	defer C.ph_free(unsafe.Pointer(text))
	return C.GoStringN(text, C.int(length))
}

// WakeDeadlines names the eventfd that is told when the application sets a deadline. Before the first request.
func WakeDeadlines(eventfd int) { C.ph_deadlines_wake(C.int(eventfd)) }

// Forked reports whether the application has forked this process: its descriptors may have copies elsewhere.
func Forked() bool { return C.ph_forked() != 0 }

// CheckSignals runs the Python signal handlers that are due. Main thread only. exit is true when one raised SystemExit;
// text is the traceback when one raised anything.
func CheckSignals() (exit bool, text string) {
	raised := C.ph_signals_check()
	if raised != 0 {
		text = ExchangeOf(0).Message()
	}
	return raised == 1, text
}

// SetOutput bounds how long a stream waits for a client that takes nothing of it (0 = for ever), and how many bytes of
// it are kept in a file in directory for a client that is slow (0 = none). Main thread, before the first request.
func SetOutput(timeout time.Duration, directory string, limit int) {
	path := C.CString(directory)
	defer C.free(unsafe.Pointer(path))
	C.ph_output_configure(C.int(min(timeout.Milliseconds(), 1<<31-1)), path, C.uint64_t(limit))
}

// DropConn gives back Python's side of a closed connection. Any goroutine.
func DropConn(conn unsafe.Pointer) {
	if conn != nil {
		C.ph_conn_drop((*C.ph_conn)(conn))
	}
}

// Free gives the tail's memory and its file back.
func (t Tail) Free() {
	C.ph_free(t.memory)
	if t.File.To > 0 {
		syscall.Close(t.File.FD)
	}
}

// Finalize runs Python's atexit handlers and ends the interpreter. Main thread only, last. It may take as long as the
// application's handlers and non-daemon threads take: the caller bounds it.
func Finalize() {
	C.ph_finalize_begin()
	finalize()
	C.ph_finalize_end()
}

// RunWorkerExit runs the hook worker_exit and what the application registered for the same moment. Main thread only; it
// may take as long as they take: the caller bounds it.
func RunWorkerExit() { C.ph_run_worker_exit() }

// RunAtExit runs Python's atexit handlers only: for a process in which another Python thread does not come back. Main
// thread only.
func RunAtExit() { C.ph_run_atexit() }
