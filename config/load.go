package config

import (
	"fmt"
	"path/filepath"
)

// Load makes a Config of the command line args (without the program's name), of the environment and of the TOML file
// in or named from dir, the directory the program was started in ("" means the current one). It keeps nothing between
// calls, so a reload calls it again with the same arguments and sees the files as they are then.
//
// getenv answers "" for a variable that is not set. Which PYHOST_* variables there are is asked of the process.
//
// The error is ErrHelp, ErrVersion, a *UsageError or a *ValueError.
func Load(args []string, getenv func(string) string, dir string) (*Config, error) {
	return load(args, processEnvironment(getenv), dir)
}

func load(args []string, env environment, dir string) (*Config, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, &ValueError{Problem: fmt.Sprintf("the current directory cannot be found: %s", reason(err))}
	}
	options, err := parseFlags(args, commandLine) // first, so that --help works whatever else is wrong
	if err != nil {
		return nil, err
	}
	gunicorn, err := env.options(gunicornArgs)
	if err != nil {
		return nil, err
	}
	own, err := env.options(pyhostArgs)
	if err != nil {
		return nil, err
	}
	variables, err := env.variables()
	if err != nil {
		return nil, err
	}
	file, warnings, err := readFile(dir, options, variables, own, gunicorn)
	if err != nil {
		return nil, err
	}
	c := &Config{Source: map[string]string{}, Warnings: warnings}
	for _, s := range settings {
		if s.field == nil {
			continue
		}
		// From the weakest to the strongest, as documented at the top of the package.
		if bad := c.settle(s, env, dir, file, gunicorn, own, variables, options); bad != nil {
			return nil, bad
		}
	}
	if bad := c.finish(dir); bad != nil {
		return nil, bad
	}
	return c, nil
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
		c.Source[s.Name] = g.source
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
