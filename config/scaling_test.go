package config

import (
	"strings"
	"testing"
)

func TestScalingBounds(t *testing.T) {
	for _, tt := range []struct {
		args                     string
		workers, lowest, highest int
		refusal                  string
	}{
		{"", 1, 0, 0, ""},
		{"-w 3", 3, 0, 0, ""},
		{"--max-workers 4", 1, 1, 4, ""},
		{"-w 2 --max-workers 4", 2, 2, 4, ""},
		{"-w 4 --min-workers 2", 4, 2, 4, ""},
		{"--min-workers 2", 2, 2, 2, ""},
		{"--min-workers 2 --max-workers 5", 2, 2, 5, ""},
		{"-w 3 --min-workers 2 --max-workers 5", 3, 2, 5, ""},
		{"-w 6 --max-workers 5", 0, 0, 0, "is less than workers"},
		{"-w 1 --min-workers 2", 0, 0, 0, "is more than workers"},
		{"--min-workers 5 --max-workers 4", 0, 0, 0, "is less than workers"},
		{"-w 0 --max-workers 4", 0, 0, 0, "must be at least 1 where max_workers is set"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			s := scene{args: append(strings.Fields(tt.args), "m:a")}
			if tt.refusal != "" {
				if err := s.fail(t); !strings.Contains(err.Error(), tt.refusal) {
					t.Fatalf("the error is %v, not %q", err, tt.refusal)
				}
				return
			}
			if c := s.load(t); c.Workers != tt.workers || c.MinWorkers != tt.lowest || c.MaxWorkers != tt.highest {
				t.Errorf("%d workers, %d to %d", c.Workers, c.MinWorkers, c.MaxWorkers)
			}
		})
	}
}
