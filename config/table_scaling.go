package config

import "strconv"

// How the number of workers follows the load.

var scalingSettings = []*Setting{
	{
		Name: "min_workers", Flags: []string{"min-workers"}, Metavar: "INT", Section: "Worker Processes",
		Type: Int, Default: 0, DefaultText: "the workers setting", max: maxWorkers,
		Doc: "The smallest number of workers where their number follows the load. That it does, as soon as min_workers or " +
			"max_workers is set. 0 stands for the workers setting.",
		field: func(c *Config) any { return &c.MinWorkers },
	},
	{
		Name: "max_workers", Flags: []string{"max-workers"}, Metavar: "INT", Section: "Worker Processes",
		Type: Int, Default: 0, DefaultText: "the workers setting", max: maxWorkers,
		Doc: "The largest number of workers where their number follows the load: one more starts when requests wait for " +
			"0.1 s, one stops after 30 s in which fewer would have done. 0 stands for the workers setting.",
		field: func(c *Config) any { return &c.MaxWorkers },
	},
}

// Scales reports whether the number of workers follows the load.
func (c *Config) Scales() bool { return c.MaxWorkers > c.MinWorkers }

// finishScaling completes min_workers and max_workers from workers, and workers, where nobody set it, from them. Both
// stay 0 where neither is set.
func (c *Config) finishScaling() *ValueError {
	if c.MinWorkers == 0 && c.MaxWorkers == 0 {
		return nil
	}
	if c.Source["workers"] == "the default" {
		c.Workers = max(c.Workers, c.MinWorkers)
	}
	if c.MinWorkers == 0 {
		c.MinWorkers = c.Workers
	}
	if c.MaxWorkers == 0 {
		c.MaxWorkers = c.Workers
	}
	switch {
	case c.MinWorkers < 1:
		return c.refuse("workers", "0", "must be at least 1 where max_workers is set")
	case c.MinWorkers > c.Workers:
		return c.refuse("min_workers", strconv.Itoa(c.MinWorkers), "is more than workers")
	case c.MaxWorkers < c.Workers:
		return c.refuse("max_workers", strconv.Itoa(c.MaxWorkers), "is less than workers")
	}
	return nil
}
