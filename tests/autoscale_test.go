package tests

import (
	"sync"
	"testing"
)

// Requests that wait, on new connections and on kept-alive ones, bring more workers, never more than allowed; and each
// of them is answered.
func TestWorkersFollowTheLoad(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		args := []string{"--max-workers", "2"}
		s := Start(t, Options{App: "threads", Kind: kind, Env: []string{gate.Env()}, Args: args})
		const requests = 12
		var group sync.WaitGroup
		for range requests {
			group.Go(func() {
				if r, err := s.TryGet("/gate"); err != nil || r.Status != 200 {
					t.Errorf("the answer is %v, the error %v", r, err)
				}
			})
		}
		first := gate.Await()
		s.WaitWorkers(2)
		s.WaitLog(`Scaling up to 2 workers: requests wait for a thread\.`, 1)
		first.Release()
		for range requests - 1 {
			gate.Await().Release()
		}
		group.Wait()
	})
}
