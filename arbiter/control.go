package arbiter

import (
	"net"
	"time"

	"github.com/pyhost/pyhost/workers/wire"
)

// stopWriteLimit bounds the writing of a stop command. A worker's socket is empty but for the one or two stop commands
// of its life, so writing never waits in truth; if it did, the signal and SIGKILL would do.
const stopWriteLimit = 100 * time.Millisecond

// control is the workerLink of a real worker. The worker may not exist yet, or any more.
type control struct{ conn *net.UnixConn }

// read passes on what the worker says, until the end or the first thing that is no message.
func (c *control) read(y *system, age int) {
	reader := wire.NewReader(c.conn)
	for {
		var message wire.Event
		if reader.Next(&message) != nil {
			y.post(workerHungUp{age})
			return
		}
		y.post(workerSaid{age, message})
	}
}

func (c *control) stop(graceful bool) {
	_ = c.conn.SetWriteDeadline(time.Now().Add(stopWriteLimit))
	// An error means that the worker has gone; its exit status will tell.
	_ = wire.Send(c.conn, wire.Command{Command: wire.CommandStop, Graceful: graceful})
}

func (c *control) announce() {
	_ = c.conn.SetWriteDeadline(time.Now().Add(stopWriteLimit))
	_ = wire.Send(c.conn, wire.Command{Command: wire.CommandLeave})
}

func (c *control) hangUp() { _ = c.conn.CloseWrite() }

func (c *control) close() { _ = c.conn.Close() }
