package main

import (
	"os"
	"time"

	"github.com/pyhost/pyhost/arbiter"
	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/embedpy/python"
)

// reloadLimit bounds the run of a Python configuration file while another configuration serves.
const reloadLimit = time.Minute

// program is the Python part of forkservers.
func program() []byte { return python.Program("pyhost/" + config.Version) }

// configuration reads the configuration, and again for each reload.
type configuration struct {
	args      []string
	directory string // where the program was started
}

// read combines all sources. A Python file is run by a forkserver, which goes on to serve with what the file defines:
// it is returned too, for whoever uses the configuration, or to be discarded. limit bounds the run; 0 = no limit.
func (r configuration) read(limit time.Duration) (*config.Config, *arbiter.Prepared, error) {
	file, err := config.FindPython(r.args, os.Getenv, r.directory)
	if err != nil {
		return nil, nil, err
	}
	if file == nil {
		c, err := r.load()
		return c, nil, err
	}
	prepared, err := r.run(file, limit)
	if err != nil {
		return nil, nil, err
	}
	c, err := r.load(config.Layer{
		Origin: config.ConfigFile, Source: file.Name, Values: prepared.Outcome.Settings, Names: prepared.Outcome.Others,
	})
	if err != nil {
		prepared.Discard()
		return nil, nil, err
	}
	c.Warnings = append(c.Warnings, prepared.Outcome.Warnings...)
	return c, prepared, nil
}

func (r configuration) load(layers ...config.Layer) (*config.Config, error) {
	c, err := config.Load(r.args, os.Getenv, r.directory, layers...)
	if err == nil {
		err = checkAccessLog(c)
	}
	return c, err
}

// run has a forkserver run the file.
func (r configuration) run(file *config.PythonFile, limit time.Duration) (*arbiter.Prepared, error) {
	library, executable, err := resolve(file.Config)
	if err != nil {
		return nil, &startError{err}
	}
	spec := file.Path
	switch {
	case file.Module != "":
		spec = "python:" + file.Module
	case file.Script:
		spec = "script:" + file.Path
	}
	return arbiter.Prepare(arbiter.PrepareOrder{
		Program: program, Library: library, Executable: executable, Argv: os.Args, Limit: limit,
		Spec: spec, Directory: r.directory, Names: config.PythonNames(),
	})
}
