// Package libpython finds the shared library of the Python interpreter that pyhost is to embed.
package libpython

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// MinVersion is the oldest CPython that pyhost embeds: the C layer needs functions that came with it.
var MinVersion = [2]int{3, 8}

// Library is an interpreter and its shared library.
type Library struct {
	Path       string // the shared library, to be loaded at run time
	Executable string // the interpreter: Python derives sys.prefix and site-packages from it, also in a virtualenv
}

// facts is what the interpreter says of itself.
type facts struct {
	Implementation string   `json:"implementation"`
	Version        []int    `json:"version"`
	Executable     string   `json:"executable"`
	Shared         bool     `json:"shared"`
	Soname         string   `json:"soname"`
	Directories    []string `json:"directories"`
	Flavour        string   `json:"flavour"`
}

// question runs in the interpreter. It must be valid in any Python, so that an old one gets a clear answer.
const question = `import json, os, sys
try:
    import sysconfig
    get = sysconfig.get_config_var
except ImportError:
    get = lambda name: None
base = getattr(sys, "base_prefix", sys.prefix)
name = "libpython%d.%d%s.so.1.0" % (sys.version_info[0], sys.version_info[1], getattr(sys, "abiflags", ""))
dirs = [get("LIBDIR")]
if get("LIBDIR") and get("MULTIARCH"):
    dirs.append(os.path.join(get("LIBDIR"), get("MULTIARCH")))
dirs += [os.path.join(base, "lib"), get("LIBPL")]
flavour = "other"
if os.path.isdir(os.path.join(base, "conda-meta")):
    flavour = "conda"
elif "/.pyenv/" in base or os.environ.get("PYENV_ROOT", "\0") in base:
    flavour = "pyenv"
elif os.path.sep + "uv" + os.path.sep in base:
    flavour = "uv"
elif base == "/usr" and os.path.exists("/etc/debian_version"):
    flavour = "debian"
print(json.dumps({
    "implementation": getattr(getattr(sys, "implementation", None), "name", "cpython"),  # Python 2 has none
    "version": list(sys.version_info[:3]),
    "executable": sys.executable,
    "shared": bool(get("Py_ENABLE_SHARED")),
    "soname": get("INSTSONAME") if ".so" in str(get("INSTSONAME")) else name,
    "directories": [d for d in dirs if d],
    "flavour": flavour,
}))
`

// Locate finds the library of the interpreter that python names: a path or command, or the directory of a virtualenv.
// Empty means the active environment: $VIRTUAL_ENV, then python3 and python on the PATH.
//
// It looks at the interpreter's file, and runs it (about 40 ms) only where that does not settle it. The error names the
// cause and the remedy.
func Locate(python string, getenv func(string) string) (Library, error) {
	interpreter, err := find(python, getenv)
	if err != nil {
		return Library{}, err
	}
	if library, certain := inspect(interpreter, getenv); certain {
		return library, nil
	}
	f, err := ask(interpreter)
	if home := getenv("PYTHONHOME"); err != nil && home != "" {
		return Library{}, fmt.Errorf("%w (PYTHONHOME is %s: unset it, unless this Python is installed there)", err, home)
	} else if err != nil {
		return Library{}, err
	}
	return f.library(interpreter)
}

func find(python string, getenv func(string) string) (string, error) {
	environment := getenv("VIRTUAL_ENV")
	switch {
	case python != "":
		return findNamed(python)
	case environment != "":
		path, err := findNamed(environment)
		if err != nil {
			return "", fmt.Errorf("$VIRTUAL_ENV is %s, but no Python runs there (%w): activate another environment, "+
				"unset it, or name an interpreter with --python PATH", environment, err)
		}
		return path, nil
	}
	for _, command := range []string{"python3", "python"} {
		if path, err := exec.LookPath(command); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Python interpreter found (tried python3, python): " +
		"name one with --python PATH, or activate a virtualenv")
}

// findNamed accepts an interpreter or the directory of an environment.
func findNamed(python string) (string, error) {
	if info, err := os.Stat(python); err == nil && info.IsDir() {
		python = filepath.Join(python, "bin", "python")
	}
	path, err := exec.LookPath(python)
	if target, isLink := danglingLink(python); err != nil && isLink {
		return "", fmt.Errorf("no Python interpreter at %s: it is a link to %s, which does not exist; an environment "+
			"whose Python was upgraded or removed has to be made anew", python, target)
	}
	if err != nil {
		cause := errors.Unwrap(err)
		var at *fs.PathError // whose text would repeat the path, and name a system call
		if errors.As(cause, &at) {
			cause = at.Err
		}
		return "", fmt.Errorf("no Python interpreter at %s: %w", python, cause)
	}
	return path, nil
}

// danglingLink follows symbolic links to where there is nothing. It reports false if path is no such link.
func danglingLink(path string) (target string, isLink bool) {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	for target = path; ; isLink = true { // it ends: a loop is another error
		next, err := os.Readlink(target)
		if err != nil {
			return target, isLink
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(filepath.Dir(target), next)
		}
		target = next
	}
}

func ask(interpreter string) (*facts, error) {
	var out, errOut bytes.Buffer
	cmd := exec.Command(interpreter, "-c", question)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("%s does not run (%w): %s", interpreter, err, lastError(errOut.String()))
		}
		return nil, fmt.Errorf("starting %s: %w", interpreter, err)
	}
	f := new(facts)
	// a sitecustomize may print: the answer is the last line
	if err := json.Unmarshal([]byte(lastLine(out.String())), f); err != nil || len(f.Version) < 3 {
		return nil, fmt.Errorf("%s is not a Python interpreter: it answered %.80q", interpreter, out.String())
	}
	return f, nil
}

// lastError is what an interpreter said last about an error: a fatal one is followed by the stacks of its threads.
func lastError(s string) string {
	for _, line := range slices.Backward(strings.Split(s, "\n")) {
		if strings.Contains(line, "Error: ") {
			return strings.TrimSpace(line)
		}
	}
	return lastLine(s)
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

func (f *facts) library(interpreter string) (Library, error) {
	version := fmt.Sprintf("%d.%d.%d", f.Version[0], f.Version[1], f.Version[2])
	if f.Implementation != "cpython" {
		return Library{}, fmt.Errorf("%s is %s %s: pyhost embeds CPython; name one with --python PATH",
			interpreter, f.Implementation, version)
	}
	if f.Version[0] < MinVersion[0] || (f.Version[0] == MinVersion[0] && f.Version[1] < MinVersion[1]) {
		return Library{}, fmt.Errorf("%s is Python %s: pyhost needs %d.%d or newer; name one with --python PATH",
			interpreter, version, MinVersion[0], MinVersion[1])
	}
	for _, dir := range f.Directories {
		path := filepath.Join(dir, f.Soname)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			executable := f.Executable
			if executable == "" {
				executable = interpreter
			}
			return Library{Path: path, Executable: executable}, nil
		}
	}
	return Library{}, fmt.Errorf("%s (Python %s) has no shared libpython (looked for %s in %s): %s",
		interpreter, version, f.Soname, strings.Join(f.Directories, ", "), f.remedy())
}

// remedy tells how this kind of Python gets a shared library.
func (f *facts) remedy() string {
	minor := fmt.Sprintf("%d.%d", f.Version[0], f.Version[1])
	switch f.Flavour {
	case "debian":
		return "install it with: apt-get install libpython" + minor
	case "pyenv":
		return fmt.Sprintf("rebuild it with: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install --force %s.%d",
			minor, f.Version[2])
	case "conda":
		return "install a build that has one: conda install 'python=" + minor + "'"
	case "uv":
		return "install uv's own build, which has one: uv python install " + minor
	}
	return "build Python with ./configure --enable-shared, or name another interpreter with --python PATH"
}
