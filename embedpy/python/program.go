// Package python holds the Python sources that run inside the forkserver and the workers.
package python

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

//go:embed *.py
var sources embed.FS

// install makes modules out of source text; tracebacks name them <pyhost NAME>. Those that every process needs are
// made at once, the others when they are imported: what is not used costs nothing at start.
const install = `import sys, types
class _Embedded:
    def __init__(self, sources):
        self.sources = sources
    def find_spec(self, name, path=None, target=None):
        if name in self.sources:
            from importlib.machinery import ModuleSpec
            return ModuleSpec(name, self)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        name = module.__name__
        exec(compile(self.sources[name], "<pyhost %s>" % name, "exec"), module.__dict__)
def _install(name):
    module = sys.modules[name] = types.ModuleType(name)
    _embedded.exec_module(module)
    return module
`

// atOnce are the modules that every process needs, in the order in which they depend on each other.
var atOnce = []string{"loader", "standin", "stdlib", "shared", "modules", "forkserver", "streams", "notes", "worker"}

// Program returns the Python source that the master sends to a forkserver: it installs the embedded modules and serves.
// serverSoftware is what applications find under SERVER_SOFTWARE, "pyhost/1.2.3".
func Program(serverSoftware string) []byte {
	var b bytes.Buffer
	b.WriteString(install)
	b.WriteString("_embedded = _Embedded({\n")
	for _, name := range names() {
		source, err := sources.ReadFile(name + ".py")
		if err != nil {
			panic(err) // it is in the binary
		}
		fmt.Fprintf(&b, "%q: %s,\n", moduleName(name), literal(string(source)))
	}
	b.WriteString("})\nsys.meta_path.insert(0, _embedded)\n")
	for _, name := range atOnce {
		fmt.Fprintf(&b, "_install(%q)\n", moduleName(name))
	}
	fmt.Fprintf(&b, "sys.modules['_pyhost_loader'].SERVER_SOFTWARE = %s\n", literal(serverSoftware))
	b.WriteString("sys.modules['_pyhost_forkserver'].main()\n")
	return b.Bytes()
}

// names are the embedded files without their extension.
func names() []string {
	entries, err := sources.ReadDir(".")
	if err != nil {
		panic(err) // it is in the binary
	}
	var found []string
	for _, entry := range entries {
		found = append(found, strings.TrimSuffix(entry.Name(), path.Ext(entry.Name())))
	}
	slices.Sort(found)
	return found
}

// moduleName is the name under which Python code imports an embedded file: pyhost itself is for applications.
func moduleName(file string) string {
	if file == "pyhost" {
		return file
	}
	return "_pyhost_" + file
}

// literal writes s as a Python string literal: JSON's escapes are a subset of Python's.
func literal(s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return text
}
