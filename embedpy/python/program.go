// Package python holds the Python sources that run inside the forkserver and the workers.
package python

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed loader.py
var loader string

//go:embed forkserver.py
var forkserver string

//go:embed modules.py
var modules string

//go:embed stdlib.py
var stdlib string

//go:embed streams.py
var streams string

//go:embed worker.py
var worker string

// install makes a module out of source text; tracebacks name it <pyhost NAME>.
const install = `import sys, types
def _install(name, source):
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, "<pyhost %s>" % name, "exec"), module.__dict__)
    return module
`

// Program returns the Python source that the master sends to a forkserver: it installs the embedded modules and serves.
// serverSoftware is what applications find under SERVER_SOFTWARE, "pyhost/1.2.3".
func Program(serverSoftware string) []byte {
	var b bytes.Buffer
	b.WriteString(install)
	for _, m := range []struct{ name, source string }{
		{"_pyhost_loader", loader},
		{"_pyhost_stdlib", stdlib},
		{"_pyhost_modules", modules},
		{"_pyhost_forkserver", forkserver},
		{"_pyhost_streams", streams},
		{"_pyhost_worker", worker},
	} {
		fmt.Fprintf(&b, "_install(%q, %s)\n", m.name, literal(m.source))
	}
	fmt.Fprintf(&b, "sys.modules['_pyhost_loader'].SERVER_SOFTWARE = %s\n", literal(serverSoftware))
	b.WriteString("sys.modules['_pyhost_forkserver'].main()\n")
	return b.Bytes()
}

// literal writes s as a Python string literal: JSON's escapes are a subset of Python's.
func literal(s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return text
}
