package scoreboard

// State is where in its life a worker is.
type State uint32

// The states, in the order in which a worker goes through them.
const (
	// Free: no worker uses the slot.
	Free State = iota
	// Booting: the worker imports the application. The heartbeat is not judged yet.
	Booting
	// Ready: the worker takes requests.
	Ready
	// Draining: the worker takes no new connection and finishes what it has.
	Draining
	// Exiting: the worker runs the interpreter's finalisation.
	Exiting
)

var stateNames = [...]string{"free", "booting", "ready", "draining", "exiting"}

// String is the state in lower case.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}
