package config

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Load makes a Config of the command line args (without the program's name), of the environment and of the TOML file
// in or named from dir, the directory the program was started in ("" means the current one). It keeps nothing between
// calls, so a reload calls it again with the same arguments and sees the files as they are then.
//
// Where FindPython finds a Python file, layers has to hold what that file says. It also takes what a framework says.
//
// getenv answers "" for a variable that is not set. Which PYHOST_* variables there are is asked of the process.
//
// The error is ErrHelp, ErrVersion, a *UsageError or a *ValueError.
func Load(args []string, getenv func(string) string, dir string, layers ...Layer) (*Config, error) {
	return load(args, processEnvironment(getenv), dir, layers...)
}

// sources is what the command line and the environment say, the strongest first.
type sources struct{ options, variables, own, gunicorn layer }

func load(args []string, env environment, dir string, layers ...Layer) (*Config, error) {
	dir, err := absolute(dir)
	if err != nil {
		return nil, err
	}
	given, err := readSources(args, env)
	if err != nil {
		return nil, err
	}
	c := newConfig()
	framework, file, err := c.readLayers(given, dir, layers)
	if err != nil {
		return nil, err
	}
	if bad := c.readPaste(&framework, dir, given.options, given.variables, given.own, given.gunicorn, file); bad != nil {
		return nil, bad
	}
	// From the weakest to the strongest, as documented at the top of the package.
	bad := c.settleAll(env, dir, framework, file, given.gunicorn, given.own, given.variables, given.options)
	if bad != nil {
		return nil, bad
	}
	if bad := c.finish(dir); bad != nil {
		return nil, bad
	}
	return c, nil
}

func newConfig() *Config { return &Config{Source: map[string]string{}, spelled: map[string]string{}} }

func absolute(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", &ValueError{Problem: fmt.Sprintf("the current directory cannot be found: %s", reason(err))}
	}
	return dir, nil
}

// readSources reads the command line first, so that --help works whatever else is wrong.
func readSources(args []string, env environment) (s *sources, err error) {
	s = &sources{}
	if s.options, err = parseFlags(args, commandLine); err != nil {
		return nil, err
	}
	if s.gunicorn, err = env.options(gunicornArgs); err != nil {
		return nil, err
	}
	if s.own, err = env.options(pyhostArgs); err != nil {
		return nil, err
	}
	s.variables, err = env.variables()
	return s, err
}

// readLayers gives what a framework and the configuration file say.
func (c *Config) readLayers(given *sources, dir string, layers []Layer) (framework, file layer, err error) {
	chosen, err := given.chooseFile(dir)
	if err != nil {
		return nil, nil, err
	}
	c.Warnings = append(c.Warnings, chosen.warnings...)
	if chosen.name != "" && !strings.HasPrefix(chosen.name, "python:") {
		path, _ := pythonPath(chosen.name)
		c.File = within(dir, path)
	}
	for _, l := range layers {
		found, warnings, err := l.layer()
		if err != nil {
			return nil, nil, err
		}
		c.Warnings = append(c.Warnings, warnings...)
		if l.Origin == Framework {
			framework = found
		} else {
			file = found
		}
	}
	switch {
	case file != nil:
	case !chosen.python:
		file, err = chosen.read()
	case chosen.source != "":
		err = &ValueError{Setting: "config", Value: chosen.name, Source: chosen.source, Problem: noPython}
	default:
		c.Warnings = append(c.Warnings, "./"+chosen.name+" is not read: "+noPython)
	}
	return framework, file, err
}

// settleAll gives every setting its value; the strongest layer comes last.
func (c *Config) settleAll(env environment, dir string, layers ...layer) *ValueError {
	for _, s := range settings {
		if s.field == nil {
			continue
		}
		if bad := c.settle(s, env, dir, layers...); bad != nil {
			return bad
		}
	}
	return c.settleAbsent(layers...)
}

// settle gives a setting the value of the last layer that has one, else its default. The values that lose are checked
// too: they are addressed to pyhost, so a wrong one is a mistake that would come out later.
func (c *Config) settle(s *Setting, env environment, dir string, layers ...layer) *ValueError {
	var value any
	for _, l := range layers {
		g, ok := l[s.Name]
		if !ok {
			continue
		}
		var bad *ValueError
		if value, bad = s.value(g, dir); bad != nil {
			return bad
		}
		c.Source[s.Name], c.spelled[s.Name] = g.source, g.spelled
	}
	if value == nil {
		g := s.fallback(env)
		c.Source[s.Name] = g.source
		value = s.Default
		if g.texts != nil {
			var bad *ValueError
			if value, bad = s.value(g, dir); bad != nil {
				return bad
			}
		}
	}
	s.assign(c, value)
	return nil
}

// fallback is what the environment supplies as the default; without texts if it supplies none.
func (s *Setting) fallback(env environment) given {
	text := ""
	if s.Env != "" {
		text = env.get(s.Env)
	}
	if text == "" {
		return given{source: "the default"}
	}
	if s.expand != nil {
		text = s.expand(text)
	}
	return given{texts: []string{text}, source: "$" + s.Env}
}
