package workers

import (
	"fmt"
	"time"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/wire"
)

// limitBoot enforces boot_timeout, 0 meaning none: an import, or a warm-up, that hangs has failed. The master does what
// it does about every worker that cannot boot. The caller calls the function that it returns when that is over.
func (w *worker) limitBoot(limit time.Duration) (booted func()) {
	if limit == 0 {
		return func() {}
	}
	timer := time.AfterFunc(limit, func() {
		cause := "the application was not imported within %v (boot_timeout)"
		if w.warming.Load() {
			cause = "the application did not answer warmup_url within %v (boot_timeout)"
		}
		w.tellFailure(&embedpy.BootError{
			Code:      wire.ExitBootError,
			Cause:     fmt.Sprintf(cause, limit),
			Traceback: w.stacks(),
		})
		w.leave(wire.ExitBootError)
	})
	return func() { timer.Stop() }
}
