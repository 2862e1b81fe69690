package workers

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/socket"
)

// Event data with these generations are no connections; theirs end at lastGeneration.
const (
	tagListener uint32 = 1<<32 - 1
	tagReady    uint32 = 1<<32 - 2
	tagHandover uint32 = 1<<32 - 3
)

// poller is the worker's one epoll. All Python threads wait on it.
//
// Connections are edge-triggered and never re-armed: a keep-alive request costs no epoll_ctl. An edge that arrives
// while the connection is busy is remembered in its state (conn.claim). Listeners are level-triggered and
// EPOLLEXCLUSIVE, so one waiting worker is woken per connection, and a worker that is busy is not woken at all.
type poller struct {
	fd    int
	ready int // eventfd, a semaphore: one count per message in the ready queue
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("creating the poller: %w", err)
	}
	ready, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK|unix.EFD_SEMAPHORE)
	if err != nil {
		return nil, fmt.Errorf("creating the poller's wake-up: %w", err)
	}
	p := &poller{fd: fd, ready: ready}
	return p, p.control(unix.EPOLL_CTL_ADD, ready, unix.EPOLLIN, tagReady)
}

func (p *poller) control(op, fd int, events uint32, tag uint32) error {
	event := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: int32(tag)}
	return unix.EpollCtl(p.fd, op, fd, &event)
}

func (p *poller) addListener(fd int) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN|unix.EPOLLEXCLUSIVE, tagListener)
}

func (p *poller) addHandover(fd int) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN|unix.EPOLLEXCLUSIVE, tagHandover)
}

func (p *poller) addConn(c *conn) error {
	c.registered = true
	events := unix.EPOLLIN | unix.EPOLLRDHUP | uint32(unix.EPOLLET&0xffffffff)
	return p.control(unix.EPOLL_CTL_ADD, c.fd, events, c.generation.Load())
}

func (p *poller) remove(fd int) error {
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, fd, nil)
}

// wake lets count waiting threads look at the ready queue and at the worker's state.
func (p *poller) wake(count int) {
	socket.AddEvents(p.ready, uint64(count))
}

// taken takes one count from the ready semaphore.
func (p *poller) taken() bool { return socket.TakeEvent(p.ready) }
