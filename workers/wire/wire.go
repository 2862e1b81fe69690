// Package wire is the protocol between the master, the forkserver and the workers: JSON lines over Unix stream sockets,
// descriptors in SCM_RIGHTS, and a few exit codes.
//
//	master                          forkserver                     worker
//	  u32 length + Python source  ->  runs it
//	  configure                   ->  evaluates the Python config file, if there is one
//	                              <-  configured | failed
//	  prepare                     ->  chdir, sys.path, hooks
//	  boot                        ->  prepare, if that was not sent; preload
//	                              <-  ready | failed
//	  fork + descriptors          ->  os.fork()                ->  Go starts, imports the application
//	                              <-  forked | fork_failed
//	                              <------------------------------  ready | failed      (worker's own socket)
//	  stop                        ------------------------------>  drains and exits    (worker's own socket)
//	                              <-  exited
//	  hook                        ->  runs one of the master's hooks
//	                              <-  hooked
//	                              <-  log                          (a hook wrote to server.log)
//	  exit, or EOF                ->  exits; its children go to the master
//
// A worker that reads EOF from its socket has lost its master: it drains and leaves.
package wire

import (
	"encoding/json"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/secure"
)

// Exit codes of a worker or forkserver that could not load the application; gunicorn's WORKER_BOOT_ERROR and
// APP_LOAD_ERROR.
const (
	// ExitBootError: importing the application raised an exception.
	ExitBootError = 3
	// ExitAppLoad: the module is there, the application in it is not, or is not callable.
	ExitAppLoad = 4
)

// How the master hands things to a forkserver when it starts one.
const (
	// ForkserverFD is the control socket's number in the forkserver.
	ForkserverFD = 3
	// EnvForkserver names the control socket's number, and makes the binary a forkserver.
	EnvForkserver = "_PYHOST_FORKSERVER"
	// EnvLibPython is the path of the libpython to load.
	EnvLibPython = "_PYHOST_LIBPYTHON"
	// EnvProgram is the interpreter's path as Python shall see it: it decides sys.prefix and sys.executable.
	EnvProgram = "_PYHOST_PROGRAM"
)

// Names of commands, sent by the master.
const (
	CommandConfigure = "configure" // to a forkserver: File, Argv
	CommandPrepare   = "prepare"   // to a forkserver: Config, Argv, MasterPID
	CommandLog       = "log"       // to a forkserver: Log, MasterPID
	CommandBoot      = "boot"      // to a forkserver: the same
	CommandHook      = "hook"      // to a forkserver, prepared: Hook
	CommandFork      = "fork"      // to a forkserver: Worker, with the worker's descriptors
	CommandExit      = "exit"      // to a forkserver
	CommandStop      = "stop"      // to a worker: Graceful
	CommandLeave     = "leave"     // to a worker: it will be told to stop, and keeps no connection until then
)

// Names of events, sent to the master.
const (
	EventReady      = "ready"       // forkserver: Python; worker: nothing else
	EventFailed     = "failed"      // Code, Error, Traceback; the sender exits with Code
	EventRetire     = "retire"      // worker: Error is why it asks for a replacement; it serves on until it is stopped
	EventForked     = "forked"      // forkserver: Slot, Age, PID
	EventForkFailed = "fork_failed" // forkserver: Slot, Age, Error
	EventExited     = "exited"      // forkserver: PID, Status
	EventModules    = "modules"     // forkserver or worker, with the setting reload: Files
	EventAborted    = "aborted"     // worker: it timed out; Traceback: what it ran, and the stacks of its threads
	EventConfigured = "configured"  // forkserver: Settings, Others, Warnings
	EventHooked     = "hooked"      // forkserver: ID; Code and Error if the hook raised
	EventLingers    = "lingers"     // forkserver: it ends when its workers have gone
	EventLog        = "log"         // forkserver: Level, Error is the text
	EventReload     = "reload"      // worker: the application asks for what SIGHUP does
)

// Listener describes one listening socket of a worker. The sockets themselves come as descriptors, in the same order.
type Listener struct {
	// Address is where the socket listens: "127.0.0.1:8000", "[::1]:8000" or "unix:/run/x.sock".
	Address string `json:"address"`
	// Network is "tcp" or "unix".
	Network string `json:"network"`
	// Name is SERVER_NAME (PEP 3333): the host of the bound address, or the path of a Unix socket.
	Name string `json:"name"`
	// Port is SERVER_PORT; empty for a Unix socket.
	Port string `json:"port"`
	// Protocol is what is spoken there: one of config's Protocol names.
	Protocol string `json:"protocol"`
}

// WorkerBoot is all that a new worker needs to know. Its descriptors travel with the fork command, in this order:
// control socket, scoreboard, the receiving and the sending end of the workers' queue, listeners.
type WorkerBoot struct {
	// Slot is the worker's slot of the scoreboard, its alone while it lives.
	Slot int `json:"slot"`
	// Age counts the workers that this master has started, from 1: gunicorn's worker.age.
	Age int `json:"age"`
	// Generation counts the start of the master and its reloads, from 1. A forkserver that replaces a dead one belongs
	// to the same generation.
	Generation int `json:"generation"`
	// MasterPID is the pid of the master, which is not always the worker's parent: that may be the forkserver.
	MasterPID int `json:"master_pid"`
	// Listeners describe the listening sockets, in the order of their descriptors.
	Listeners []Listener `json:"listeners"`
	// Certificates are what TLS needs; absent without it. They are the generation's.
	Certificates *secure.Material `json:"certificates,omitempty"`
	Config       *config.Config   `json:"config"`
	// Owner is whom the worker becomes right after the fork; absent if it stays who it is.
	Owner *config.Owner `json:"owner,omitempty"`
}

// ConfigFile says which Python config file a forkserver is to evaluate.
type ConfigFile struct {
	// Spec is PATH, file:PATH or python:MODULE, as in gunicorn.
	Spec string `json:"spec"`
	// Directory is where the master was started: relative paths begin there.
	Directory string `json:"directory"`
	// Names are the settings that the file may define; its other names are helpers, or slips.
	Names []string `json:"names"`
}

// HookCall orders one of the master's hooks to be run. Which fields count depends on the hook.
type HookCall struct {
	// ID comes back with the answer.
	ID   int    `json:"id"`
	Name string `json:"name"`
	// Workers is server.num_workers, and the new value for nworkers_changed. Old is the one before; nil at the start.
	Workers int  `json:"workers"`
	Old     *int `json:"old,omitempty"`
	// PID and Age are those of the worker that child_exit is about.
	PID int `json:"pid,omitempty"`
	Age int `json:"age,omitempty"`
	// Addresses are where the master listens, as its log has them: http://127.0.0.1:8000, uwsgi+unix:/x.sock.
	Addresses []string `json:"addresses,omitempty"`
}

// LogLine is a message of the master for Python's logging.
type LogLine struct {
	// Level is a name of gunicorn's, or "reopen" for opening the files of handlers again.
	Level string `json:"level"`
	Text  string `json:"text"`
}

// Command is what the master says; which fields count depends on the name.
type Command struct {
	Command   string         `json:"command"`
	Config    *config.Config `json:"config,omitempty"`
	Argv      []string       `json:"argv,omitempty"`
	MasterPID int            `json:"master_pid,omitempty"`
	File      *ConfigFile    `json:"file,omitempty"`
	Hook      *HookCall      `json:"hook,omitempty"`
	Log       *LogLine       `json:"log,omitempty"`
	Worker    *WorkerBoot    `json:"worker,omitempty"`
	// Graceful: running requests may finish. Absent means false.
	Graceful bool `json:"graceful,omitempty"`
}

// Event is what the master hears; which fields count depends on the name. An absent number is 0.
type Event struct {
	Event string `json:"event"`
	Slot  int    `json:"slot,omitempty"`
	Age   int    `json:"age,omitempty"`
	PID   int    `json:"pid,omitempty"`
	// Status is the raw wait status, as wait4 gives it.
	Status int `json:"status,omitempty"`
	// Code is the exit code that will follow: ExitBootError, ExitAppLoad, or 1 when Python itself did not start.
	Code int `json:"code,omitempty"`
	// Error is the cause in one line.
	Error     string `json:"error,omitempty"`
	Traceback string `json:"traceback,omitempty"`
	// Files are where the code of imported modules is, absolute.
	Files []string `json:"files,omitempty"`
	// Python is the interpreter's version: "3.11.7".
	Python string `json:"python,omitempty"`
	// Settings are what the Python config file sets, Others its further names, Warnings sentences about it.
	Settings map[string]json.RawMessage `json:"settings,omitempty"`
	Others   []string                   `json:"others,omitempty"`
	Warnings []string                   `json:"warnings,omitempty"`
	// ID is the HookCall's.
	ID int `json:"id,omitempty"`
	// Level is debug, info, warning, error or critical.
	Level string `json:"level,omitempty"`
}
