package config

import (
	"os"
	"path/filepath"
	"strings"
)

// PythonFile is a Python configuration file. Load cannot read it: somebody has to run it and pass on what it says as a
// Layer of origin ConfigFile.
type PythonFile struct {
	// Path is the file, absolute; "" if Module names what to import instead.
	Path string
	// Module is a module to import, from python:MODULE; "" if there is a Path.
	Module string
	// Script says that Path is a program that serves an application by itself, from script:PATH.
	Script bool
	// Name is what the user calls it, for messages and Layer.Source: "gunicorn.conf.py", "python:site.conf".
	Name string
	// Explicit says that the user asked for it; otherwise it was found in the directory.
	Explicit bool
	// Config is what all sources but this file and a framework say. It tells which Python to run the file with. It is not
	// complete: App may be "", and nothing was checked in combination.
	Config *Config
}

// FindPython says which Python file, if any, configures a server with these arguments; nil if none does: then Load can
// do without layers. A file found in dir must exist, and so must an explicit one. Arguments and errors are those of
// Load.
func FindPython(args []string, getenv func(string) string, dir string) (*PythonFile, error) {
	return findPython(args, processEnvironment(getenv), dir)
}

func findPython(args []string, env environment, dir string) (*PythonFile, error) {
	dir, err := absolute(dir)
	if err != nil {
		return nil, err
	}
	given, err := readSources(args, env)
	if err != nil {
		return nil, err
	}
	file, err := given.chooseFile(dir)
	if err != nil || !file.python {
		return nil, err
	}
	c := newConfig()
	if bad := c.settleAll(env, dir, given.gunicorn, given.own, given.variables, given.options); bad != nil {
		return nil, bad
	}
	if c.Chdir == "" {
		c.Chdir = dir
	}
	found := &PythonFile{Name: file.name, Explicit: file.source != "", Config: c}
	if module, ok := strings.CutPrefix(file.name, "python:"); ok && found.Explicit {
		found.Module = module
	} else {
		found.Path, found.Script = pythonPath(file.name)
		found.Path = within(dir, found.Path)
	}
	return found, nil
}

// pythonPath is the file of -c, and whether it is a script.
func pythonPath(given string) (path string, script bool) {
	if path, script = strings.CutPrefix(given, "script:"); script {
		return path, true
	}
	return strings.TrimPrefix(given, "file:"), false
}

// isPython says whether a file given with -c is a Python file. gunicorn runs whatever it is given, so only TOML is told
// apart, by its extension.
func isPython(path string) bool { return filepath.Ext(path) != ".toml" }

// checkPython refuses an explicit Python file that cannot be read.
func checkPython(dir, path string) error {
	if strings.HasPrefix(path, "python:") {
		return nil
	}
	path, _ = pythonPath(path)
	file, err := os.Open(within(dir, path))
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		return &os.PathError{Op: "read", Path: path, Err: errIsDirectory}
	}
	return err
}
