package config

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// envPrefix begins the variables that are addressed to pyhost. Its private ones begin with _PYHOST_.
const envPrefix = "PYHOST_"

const (
	gunicornArgs = "GUNICORN_CMD_ARGS"
	pyhostArgs   = "PYHOST_CMD_ARGS"
)

// environment is where variables are read: get answers "" for one that is not set, names lists those there may be.
type environment struct {
	get   func(string) string
	names []string
}

// processEnvironment asks getenv for values, and the process for the names that getenv cannot list.
func processEnvironment(getenv func(string) string) environment {
	var names []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		names = append(names, name)
	}
	slices.Sort(names) // the same fault is reported first each time
	return environment{get: getenv, names: names}
}

// linked are the variables that Kubernetes and Docker set for a service whose name begins with "pyhost": they are not
// addressed to us. PYHOST_PORT among them holds a URL.
var linked = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^PYHOST_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$`)
})

func isLinked(name, value string) bool {
	return linked().MatchString(name) || strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://")
}

// variables reads PYHOST_<NAME> of every setting, and refuses other names that begin so.
func (e environment) variables() (layer, error) {
	found := layer{}
	taken := map[string]bool{pyhostArgs: true}
	for _, s := range known() {
		taken[s.Variable()] = true
		value := e.get(s.Variable())
		if value == "" {
			continue
		}
		if s.Type == Hook {
			return nil, usagef("variable %s: %s", s.Variable(), s.isFunction())
		}
		texts, source := []string{value}, "$"+s.Variable()
		if s.words != nil {
			var err error
			if texts, err = s.words(value); err != nil {
				return nil, &ValueError{Setting: s.Name, Spelled: source, Value: value, Source: source, Problem: err.Error()}
			}
		}
		if len(texts) > 0 { // only white space: as good as empty
			found[s.Name] = given{texts: texts, source: source, spelled: source}
		}
	}
	for _, name := range e.names {
		value := e.get(name)
		if !strings.HasPrefix(name, envPrefix) || taken[name] || value == "" || isLinked(name, value) {
			continue
		}
		setting := strings.ToLower(strings.TrimPrefix(name, envPrefix))
		show := func(setting string) string { return settingNamed(setting).Variable() }
		return nil, usagef("variable %s %s", name, unknownName(setting, show))
	}
	return found, nil
}

// options reads a variable that holds command line options.
func (e environment) options(name string) (layer, error) {
	words, err := splitWords(e.get(name))
	if err != nil {
		return nil, usagef("$%s: %s", name, err)
	}
	return parseFlags(words, "$"+name)
}
