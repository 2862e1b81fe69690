package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

const (
	defaultFile    = "pyhost.toml"
	projectFile    = "pyproject.toml"
	gunicornConfig = "gunicorn.conf.py"
)

// noPython is what is said wherever a Python config file turns up.
const noPython = "Python config files are not supported in this version; use command line options or a TOML file"

// readFile reads the TOML file that one of layers names (the first that does, so the strongest comes first), else the
// default one in dir. The warnings are about files that one might think were read.
func readFile(dir string, layers ...layer) (found layer, warnings []string, err error) {
	for _, l := range layers {
		chosen, ok := l["config"]
		if !ok {
			continue
		}
		// As in gunicorn, an empty name counts as none.
		if path := strings.TrimSpace(chosen.texts[len(chosen.texts)-1]); path != "" {
			found, err = readChosen(dir, path, chosen.source)
			return found, nil, err
		}
	}
	if exists(within(dir, gunicornConfig)) {
		warnings = append(warnings, "./"+gunicornConfig+" is not read: "+noPython)
	}
	found, warning, err := readDefault(dir)
	if warning != "" {
		warnings = append(warnings, warning)
	}
	return found, warnings, err
}

// readChosen reads the file of option -c, which gunicorn also lets one write as file:PATH and python:MODULE.
func readChosen(dir, path, source string) (layer, error) {
	name := strings.TrimPrefix(path, "file:")
	problem := ""
	extension := filepath.Ext(name)
	if extension == ".py" || extension == ".pyc" || strings.HasPrefix(path, "python:") {
		problem = noPython
	} else if text, err := os.ReadFile(within(dir, name)); err != nil {
		problem = reason(err).Error()
	} else if filepath.Base(name) == projectFile {
		return parseTOML(text, name, "tool", "pyhost")
	} else {
		return parseTOML(text, name)
	}
	return nil, &ValueError{Setting: "config", Value: path, Source: source, Problem: problem}
}

// readDefault reads ./pyhost.toml, or without one [tool.pyhost] in ./pyproject.toml.
func readDefault(dir string) (found layer, warning string, err error) {
	own, ownErr := os.ReadFile(within(dir, defaultFile))
	if ownErr != nil && !errors.Is(ownErr, os.ErrNotExist) {
		return nil, "", &ValueError{Source: defaultFile, Problem: reason(ownErr).Error()}
	}
	project, projectErr := os.ReadFile(within(dir, projectFile))
	if projectErr != nil && !errors.Is(projectErr, os.ErrNotExist) && ownErr != nil {
		return nil, "", &ValueError{Source: projectFile, Problem: reason(projectErr).Error()}
	}
	// A pyproject.toml without our name in it has nothing for us, and its faults are not ours to report.
	mentioned := strings.Contains(string(project), "pyhost")
	switch {
	case ownErr == nil:
		if mentioned && holdsTable(project, "tool", "pyhost") {
			warning = "[tool.pyhost] in ./" + projectFile + " is not read because ./" + defaultFile + " is"
		}
		found, err = parseTOML(own, defaultFile)
	case mentioned:
		found, err = parseTOML(project, projectFile, "tool", "pyhost")
	}
	return found, warning, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
