package workers

import (
	"unsafe"

	"github.com/pyhost/pyhost/embedpy"
)

// python is the interpreter as the request path sees it, so that tests can put a Go function in its place.
type python interface {
	Exchange(thread int) *embedpy.Exchange
	Call(thread int, frame, body []byte)
	AcquireGIL(thread int)
	ReleaseGIL(thread int)
	CheckSignals() (exit bool, text string)
	DropConn(conn unsafe.Pointer)
	Forked() bool
	Free(tail embedpy.Tail)
}

// embedded is the interpreter of this process.
type embedded struct{}

func (embedded) Exchange(thread int) *embedpy.Exchange { return embedpy.ExchangeOf(thread) }
func (embedded) Call(thread int, frame, body []byte)   { embedpy.Call(thread, frame, body) }
func (embedded) AcquireGIL(thread int)                 { embedpy.AcquireGIL(thread) }
func (embedded) ReleaseGIL(thread int)                 { embedpy.ReleaseGIL(thread) }
func (embedded) CheckSignals() (bool, string)          { return embedpy.CheckSignals() }
func (embedded) DropConn(conn unsafe.Pointer)          { embedpy.DropConn(conn) }
func (embedded) Forked() bool                          { return embedpy.Forked() }
func (embedded) Free(tail embedpy.Tail)                { tail.Free() }
