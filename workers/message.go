package workers

import (
	"os"
	"slices"
	"sync"

	"github.com/pyhost/pyhost/workers/scoreboard"
)

// message is a request that the goroutine lane completed. Either the head and the whole body lie in raw, as if they had
// come in one read, or the body is in a file. The empty message says that the connection has to be read from.
type message struct {
	raw   []byte   // head, body if it is in memory, and what followed
	file  *os.File // spooled body, positioned at its start; nil if it is in raw
	size  int64    // of the spooled body
	rest  []byte   // what followed a spooled body
	since int64    // CLOCK_MONOTONIC ns at which it began to wait for a thread
}

// readyQueue holds connections whose request is complete, until a Python thread is free. One count of the poller's
// semaphore stands for each.
type readyQueue struct {
	mu     sync.Mutex
	conns  []*conn
	poller *poller
}

func (q *readyQueue) push(c *conn) {
	if c.message.since == 0 {
		c.message.since = scoreboard.Now()
	}
	q.mu.Lock()
	q.conns = append(q.conns, c)
	q.mu.Unlock()
	q.poller.wake(1)
}

// unshift puts back what steal took.
func (q *readyQueue) unshift(c *conn) {
	q.mu.Lock()
	q.conns = slices.Insert(q.conns, 0, c)
	q.mu.Unlock()
	q.poller.wake(1)
}

// pop returns the oldest, or nil.
func (q *readyQueue) pop() *conn {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.conns) == 0 {
		return nil
	}
	c := q.conns[0]
	q.conns = slices.Delete(q.conns, 0, 1) // in place: a queue that moves on leaves garbage behind
	return c
}

// steal takes the oldest that suits, with its count of the semaphore, or nil.
func (q *readyQueue) steal(suits func(*conn) bool) *conn {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, c := range q.conns {
		if !suits(c) {
			continue
		}
		if !q.poller.taken() {
			return nil // a thread is about to take one
		}
		q.conns = slices.Delete(q.conns, i, i+1)
		return c
	}
	return nil
}

// stealNewest takes the one that came last, or nil.
func (q *readyQueue) stealNewest() *conn {
	q.mu.Lock()
	defer q.mu.Unlock()
	last := len(q.conns) - 1
	if last < 0 || !q.poller.taken() {
		return nil
	}
	c := q.conns[last]
	q.conns[last] = nil
	q.conns = q.conns[:last]
	return c
}

func (q *readyQueue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.conns)
}

// oldest is how many wait, and since when the oldest does.
func (q *readyQueue) oldest() (count int, since int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range q.conns {
		if since == 0 || c.message.since < since {
			since = c.message.since
		}
	}
	return len(q.conns), since
}
