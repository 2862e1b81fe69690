package config

import (
	"fmt"
	"strings"
)

// finish is about settings in combination: it completes the ones that depend on others, refuses what cannot work and
// warns of what works in a way that is probably not meant.
func (c *Config) finish(dir string) *ValueError {
	if c.Paste != "" { // as in gunicorn, it is stronger than wsgi_app
		c.App = "paste:" + c.Paste
	}
	if c.App == "" {
		return &ValueError{Problem: "No application module specified. Name it on the command line, " +
			"as in `pyhost myproject.wsgi:application`, or set wsgi_app in pyhost.toml."}
	}
	if c.Chdir == "" {
		c.Chdir = dir
	}
	if c.WorkerClass == "sync" && c.Threads > 1 { // as gunicorn
		c.WorkerClass = "gthread"
	}
	if bad := c.finishScaling(); bad != nil {
		return bad
	}
	if bad := c.mount(dir); bad != nil {
		return bad
	}
	if bad := c.checkBind(); bad != nil {
		return bad
	}
	if bad := c.checkSSL(); bad != nil {
		return bad
	}
	if bad := c.findOwner(); bad != nil {
		return bad
	}
	c.warn()
	return nil
}

// mount lets SCRIPT_NAME in raw_env say where the application is mounted, as it does in gunicorn, where raw_env becomes
// the environment of the server. It is weaker than the setting itself.
func (c *Config) mount(dir string) *ValueError {
	if source := c.Source["script_name"]; source != "the default" && source != "$SCRIPT_NAME" {
		return nil
	}
	for _, entry := range c.RawEnv {
		path, ok := strings.CutPrefix(entry, "SCRIPT_NAME=")
		if !ok {
			continue
		}
		s := settingNamed("script_name")
		value, bad := s.value(given{texts: []string{path}, source: "raw_env, " + c.Source["raw_env"]}, dir)
		if bad != nil {
			return bad
		}
		s.assign(c, value)
		c.Source["script_name"] = "raw_env, " + c.Source["raw_env"]
	}
	return nil
}

// checkBind refuses no address at all and one address twice. Port 0 is another port each time.
func (c *Config) checkBind() *ValueError {
	if len(c.Bind) == 0 {
		return c.refuse("bind", "", "must have at least one address")
	}
	seen := map[Address]bool{}
	for _, bind := range c.Bind {
		address, _ := ParseBind(bind) // it was checked when it was read
		if seen[address.Place()] && !address.AnyPort() {
			return c.refuse("bind", bind, "is given twice")
		}
		seen[address.Place()] = true
	}
	return nil
}

// refuse is for a value that was accepted by itself.
func (c *Config) refuse(setting, value, problem string) *ValueError {
	return &ValueError{
		Setting: setting, Spelled: c.spelled[setting], Value: value, Source: c.Source[setting], Problem: problem,
	}
}

func (c *Config) warn() {
	if c.Workers == 0 {
		c.warnf("workers is 0 (from %s): no worker is started, and connections wait until the signal TTIN adds one",
			c.Source["workers"])
	}
	if c.Threads > c.WorkerConnections {
		c.warnf("threads is %d but worker_connections is %d: a worker never has work for all its threads",
			c.Threads, c.WorkerConnections)
	}
	if c.WorkerClass == "gthread" && c.Threads == c.WorkerConnections && c.KeepAlive > 0 {
		c.warnf("threads and worker_connections are both %d: no idle connection can be kept alive", c.Threads)
	}
}

func (c *Config) warnf(format string, args ...any) {
	c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...))
}
