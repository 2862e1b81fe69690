package config

import (
	"errors"
	"net/url"
	"strings"
)

// How generations of workers follow one another, and how the server leaves.

// The values of reload_strategy.
const (
	// ReloadAll boots all new workers beside the old ones.
	ReloadAll = "all"
	// ReloadRolling boots one new worker at a time; each takes the place of an old one.
	ReloadRolling = "rolling"
)

var lifecycleSettings = []*Setting{
	{
		Name: "warmup_url", Flags: []string{"warmup-url"}, Metavar: "PATH", Section: "Worker Processes",
		Type: List, Default: []string{},
		Doc: "A path, or URL where the application asks for a certain host or for https, that each new worker has to " +
			"answer with 2xx or 3xx before it serves. Otherwise it has failed to boot: a first start ends with exit " +
			"code 3, a reload is given up. Can be given several times.",
		field: func(c *Config) any { return &c.WarmupURL },
		item:  warmupItem,
		words: splitWords,
	},
	{
		Name: "reload_strategy", Flags: []string{"reload-strategy"}, Metavar: "NAME", Section: "Worker Processes",
		Type: String, Default: ReloadAll, Choices: []string{ReloadAll, ReloadRolling},
		Doc: "How a reload replaces the workers: all boots all new ones beside the old ones, rolling one after the other, " +
			"so that there is never more than one worker too many.",
		field: func(c *Config) any { return &c.ReloadStrategy },
	},
	{
		Name: "drain_delay", Flags: []string{"drain-delay"}, Metavar: "SECONDS", Section: "Worker Processes",
		Type: Int, Default: 0,
		Doc: "For how many seconds after SIGTERM the server goes on accepting connections, with Connection: close in its " +
			"answers, so that load balancers can notice that it leaves. A second signal ends the delay. 0 means none.",
		field: func(c *Config) any { return &c.DrainDelay },
	},
}

// warmupItem checks a path or URL of warmup_url.
func warmupItem(_, text string) (string, error) {
	u, err := url.ParseRequestURI(text)
	switch {
	case err != nil:
	case u.Scheme == "http" || u.Scheme == "https":
		if u.Host != "" {
			return text, nil
		}
	case strings.HasPrefix(text, "/"):
		return text, nil
	}
	return "", errors.New("must be a path such as /health, or an http:// or https:// URL")
}
