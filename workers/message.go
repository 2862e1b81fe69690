package workers

import (
	"os"
	"sync"
)

// message is a request that the goroutine lane completed. Either the head and the whole body lie in raw, as if they had
// come in one read, or the body is in a file.
type message struct {
	raw  []byte   // head, body if it is in memory, and what followed
	file *os.File // spooled body, positioned at its start; nil if it is in raw
	size int64    // of the spooled body
	rest []byte   // what followed a spooled body
}

// readyQueue holds connections whose request is complete, until a Python thread is free. One count of the poller's
// semaphore stands for each.
type readyQueue struct {
	mu     sync.Mutex
	conns  []*conn
	poller *poller
}

func (q *readyQueue) push(c *conn) {
	q.mu.Lock()
	q.conns = append(q.conns, c)
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
	q.conns[0] = nil
	q.conns = q.conns[1:]
	return c
}
