package arbiter

import "time"

const (
	// stableAfter is how long a process must have served for its death to be no part of a crash loop.
	stableAfter = 10 * time.Second
	// backoffMax bounds the pause between two attempts: a mended application is back within this time.
	backoffMax = 30 * time.Second
)

// backoff is the brake on a crash loop. The first failure costs no pause, so that a single crash is mended at once;
// the next ones cost 1, 2, 4, ... seconds, but at most as long as the process had served: what serves for a while each
// time is worth more than nothing.
type backoff struct {
	failures int
	until    time.Duration // no attempt before; 0 = at once
}

// fail counts a failure at now, of a process that had served for so long, and returns the pause before the next
// attempt.
func (b *backoff) fail(now, served time.Duration) time.Duration {
	b.failures++
	pause := time.Duration(0)
	if b.failures > 1 {
		pause = min(time.Second<<min(b.failures-2, 10), backoffMax)
		if served > 0 {
			pause = min(pause, max(served, time.Second))
		}
	}
	b.until = now + pause
	return pause
}

func (b *backoff) reset() { *b = backoff{} }
