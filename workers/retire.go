package workers

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/pyhost/pyhost/config"
)

// retirement is when a healthy worker asks the master for a replacement. It serves on until the master stops it, which
// happens when the new one is ready: no request waits, and none is lost.
type retirement struct {
	after       uint64 // requests; 0 = never (max_requests)
	onException bool   // reload_on_exception
	once        sync.Once
	tell        func(reason string)
}

// newRetirement makes one that tells its reason to tell.
func newRetirement(c *config.Config, tell func(reason string)) *retirement {
	r := &retirement{onException: c.ReloadOnException, tell: tell}
	if c.MaxRequests > 0 {
		r.after = uint64(c.MaxRequests + rand.IntN(c.MaxRequestsJitter+1))
	}
	return r
}

// served is called by Python threads with the number of each request that is done.
func (r *retirement) served(requests uint64) {
	if requests == r.after && r.after != 0 {
		r.ask(fmt.Sprintf("it has served %d requests (max_requests)", requests))
	}
}

// failed is called after a request in which the application raised an exception.
func (r *retirement) failed() {
	if r.onException {
		r.ask("the application raised an exception (reload_on_exception)")
	}
}

// ask tells the master, once; the socket may be full, and a Python thread must not wait for it.
func (r *retirement) ask(reason string) {
	r.once.Do(func() { go r.tell(reason) })
}
