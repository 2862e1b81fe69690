package workers

import "github.com/pyhost/pyhost/protocol/http1"

// appLog gives what the application said of its request for the access log, until yield returns false: kind 'v' is a
// variable of pyhost.log_var, 'e' one of environ. Where it said something twice, the last counts.
type appLog func(yield func(kind byte, name, value []byte) bool)

// find is the value of a name, which may be in any case.
func (l appLog) find(kind byte, name string) (found []byte, ok bool) {
	l(func(k byte, n, value []byte) bool {
		if k == kind && equalFold(n, name) {
			found, ok = value, true
		}
		return true
	})
	return found, ok
}

// variable finds a value of pyhost.log_var.
func (l appLog) variable(name string) ([]byte, bool) { return l.find('v', name) }

// each is a function that gives all of a kind.
func (l appLog) each(kind byte) func(func(name, value []byte)) {
	return func(yield func(name, value []byte)) {
		l(func(k byte, name, value []byte) bool {
			if k == kind {
				yield(name, value)
			}
			return true
		})
	}
}

// kept is a copy of all, for when the thread is at another request.
func (l appLog) kept() appLog {
	var kinds []byte
	var said []http1.Header
	l(func(kind byte, name, value []byte) bool {
		kinds, said = append(kinds, kind), append(said, http1.Header{Name: cloned(name), Value: cloned(value)})
		return true
	})
	return func(yield func(kind byte, name, value []byte) bool) {
		for i := range said {
			if !yield(kinds[i], said[i].Name, said[i].Value) {
				return
			}
		}
	}
}
