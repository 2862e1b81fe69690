package workers

import (
	"errors"
	"os"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		name    string
		limits  timeouts
		since   time.Duration // of the body's start
		got     int64
		want    time.Duration // until the deadline; 0 = none
		refusal error         // if that passes
	}{
		{"no limit", timeouts{}, time.Hour, 1, 0, errBodyLate},
		{"no limit, but a rate", timeouts{rate: 100}, time.Hour, 1, 0, errBodySlow},
		{"pause alone", timeouts{pause: time.Minute}, time.Hour, 1, time.Minute, errBodyLate},
		{"at the start", timeouts{pause: time.Minute, rate: 100}, 0, 0, time.Minute, errBodyLate},
		{"trickle", timeouts{pause: time.Minute, rate: 100}, 59 * time.Second, 500, 6 * time.Second, errBodyLate},
		{
			"trickle for too long", timeouts{pause: time.Minute, rate: 100}, 70 * time.Second, 500, -5 * time.Second,
			errBodySlow,
		},
		{"fast enough", timeouts{pause: time.Minute, rate: 100}, 70 * time.Second, 8000, time.Minute, errBodyLate},
		{"huge", timeouts{pause: time.Minute, rate: 1}, time.Hour, 1 << 62, time.Minute, errBodyLate},
	} {
		p := &pace{limits: test.limits, start: now.Add(-test.since)}
		deadline := p.deadline(test.got)
		if test.want == 0 {
			if !deadline.IsZero() {
				t.Errorf("%s: deadline %v", test.name, deadline)
			}
		} else if off := deadline.Sub(now) - test.want; off < 0 || off > 5*time.Second {
			t.Errorf("%s: deadline in %v, want %v", test.name, deadline.Sub(now), test.want)
		}
		if test.want <= 0 && test.limits.rate > 0 || test.limits.rate == 0 {
			got := p.late(test.got, os.ErrDeadlineExceeded)
			if test.limits.pause > 0 && !errors.Is(got, test.refusal) {
				t.Errorf("%s: %v, want %v", test.name, got, test.refusal)
			}
		}
		if p.late(test.got, errors.New("reset")) != nil {
			t.Errorf("%s: another error taken for a timeout", test.name)
		}
	}
}
