package logging

import "time"

// losses counts the lines that a target did not take until they are reported.
type losses struct {
	err    error // the latest
	lost   int
	report time.Time // when the last report was made
}

func (l *losses) add(err error, lost int) {
	l.err = err
	l.lost += lost
}

// due takes the losses if there are any and the last report is long enough ago.
func (l *losses) due(now func() time.Time) losses {
	if l.err == nil {
		return losses{}
	}
	t := now()
	if !l.report.IsZero() && t.Sub(l.report) < reportInterval {
		return losses{}
	}
	l.report = t
	return l.take()
}

// take returns the losses and begins to count anew.
func (l *losses) take() losses {
	taken := *l
	l.err, l.lost = nil, 0
	return taken
}
