package workers

import (
	"fmt"
	"time"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/wire"
)

// limitBoot enforces boot_timeout, 0 meaning none: an import that hangs has failed. The master does what it does about
// every worker that cannot boot. The caller calls the function that it returns when the application is imported.
func (w *worker) limitBoot(limit time.Duration) (booted func()) {
	if limit == 0 {
		return func() {}
	}
	timer := time.AfterFunc(limit, func() {
		w.tellFailure(&embedpy.BootError{
			Code:      wire.ExitBootError,
			Cause:     fmt.Sprintf("the application was not imported within %v (boot_timeout)", limit),
			Traceback: w.stacks(),
		})
		w.leave(wire.ExitBootError)
	})
	return func() { timer.Stop() }
}
