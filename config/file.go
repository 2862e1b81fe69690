package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// The configuration files that are looked for. Those addressed to pyhost come first, then gunicorn's.
const (
	defaultFile    = "pyhost.toml"
	pythonFile     = "pyhost.conf.py"
	projectFile    = "pyproject.toml"
	gunicornConfig = "gunicorn.conf.py"
)

var errIsDirectory = errors.New("is a directory")

// noPython is what is said where a Python config file turns up and nobody has run it.
const noPython = "Python config files are not supported in this version; use command line options or a TOML file"

// chosenFile is the one configuration file that counts.
type chosenFile struct {
	name     string // as the user calls it; "" if there is none
	source   string // who named it; "" if it was found in the directory
	python   bool
	text     []byte   // of a TOML file
	warnings []string // about files that one might think were read
}

// chooseFile finds the file that the strongest source names, else the default one in dir.
func (s *sources) chooseFile(dir string) (chosenFile, error) {
	for _, l := range []layer{s.options, s.variables, s.own, s.gunicorn} {
		chosen, ok := l["config"]
		if !ok {
			continue
		}
		// As in gunicorn, an empty name counts as none.
		if path := strings.TrimSpace(chosen.texts[len(chosen.texts)-1]); path != "" {
			return chooseExplicit(dir, path, chosen.source)
		}
	}
	return chooseDefault(dir)
}

// chooseExplicit takes the file of option -c, which gunicorn also lets one write as file:PATH and python:MODULE.
func chooseExplicit(dir, path, source string) (chosenFile, error) {
	file := chosenFile{name: path, source: source, python: strings.HasPrefix(path, "python:") || isPython(path)}
	var err error
	if file.python {
		err = checkPython(dir, path)
	} else {
		file.name = strings.TrimPrefix(path, "file:")
		file.text, err = os.ReadFile(within(dir, file.name))
	}
	if err != nil {
		return file, &ValueError{Setting: "config", Value: path, Source: source, Problem: reason(err).Error()}
	}
	return file, nil
}

// chooseDefault takes the first of ./pyhost.toml, ./pyhost.conf.py, [tool.pyhost] in ./pyproject.toml and
// ./gunicorn.conf.py. The others that are there are warned about: somebody may think that they count.
func chooseDefault(dir string) (chosen chosenFile, err error) {
	for _, name := range []string{defaultFile, pythonFile, projectFile, gunicornConfig} {
		file := chosenFile{name: name, python: strings.HasSuffix(name, ".py")}
		switch file.text, err = os.ReadFile(within(dir, name)); {
		case errors.Is(err, os.ErrNotExist):
			continue
		case err != nil && chosen.name == "":
			return file, &ValueError{Source: name, Problem: reason(err).Error()}
		case err != nil:
			continue
		case name == projectFile && !concernsUs(file.text):
			continue
		case chosen.name == "":
			chosen = file
		default:
			chosen.warnings = append(chosen.warnings, file.shown()+" is not read because "+chosen.shown()+" is")
		}
	}
	return chosen, nil
}

// concernsUs says whether a pyproject.toml has something for pyhost. The faults of one without our name in it are not
// ours to report.
func concernsUs(text []byte) bool {
	if !strings.Contains(string(text), "pyhost") {
		return false
	}
	entries, err := tableEntries(text, []string{"tool", "pyhost"})
	return err != nil || len(entries) > 0
}

// shown is the file as the warnings call it.
func (f chosenFile) shown() string {
	if f.name == projectFile {
		return "[tool.pyhost] in ./" + f.name
	}
	return "./" + f.name
}

// read gives what a TOML file says.
func (f chosenFile) read() (layer, error) {
	switch {
	case f.name == "":
		return nil, nil
	case filepath.Base(f.name) == projectFile:
		return parseTOML(f.text, f.name, "tool", "pyhost")
	}
	return parseTOML(f.text, f.name)
}
