package python

import "testing"

// No name may be misspelt, and nothing else than the standard library may be loaded.
func TestStandardLibrary(t *testing.T) {
	python(t, `
import stdlib

path = list(sys.path)
stdlib.share()
assert sys.path == path, sys.path
missing = [name for name in stdlib.SHARED if name not in sys.modules and name not in ("bz2", "lzma")]
assert not missing, missing
outside = [name for name in stdlib.SHARED if "site-packages" in (getattr(sys.modules[name], "__file__", "") or "")]
assert not outside, outside
for name in "multiprocessing.pool", "ctypes", "readline", "tkinter":
    assert name not in sys.modules, name
`, "")
}

// What imports ssl is shared, but whatever patches sockets must still find it not imported.
func TestStandardLibraryForPatchers(t *testing.T) {
	const check = `
import stdlib, tempfile

if patcher:
    kept = tempfile.TemporaryDirectory()
    directory = kept.name
    os.mkdir(os.path.join(directory, patcher))
    open(os.path.join(directory, patcher, "__init__.py"), "w").write("raise AssertionError('imported')")
    sys.path.append(directory)
else:
    stdlib._installed = lambda name: False  # it may be, here
stdlib.share()
for name in "ssl", "asyncio", "http.client":
    assert (name in sys.modules) == (not patcher), name
`
	for _, patcher := range []string{"''", "'gevent'", "'eventlet'"} {
		python(t, "patcher = "+patcher+"\n"+check, "")
	}
}

// An application's module of a standard name is not run before the fork, and wins in the worker. The standard library's
// modules keep their own.
func TestStandardLibraryShadowed(t *testing.T) {
	python(t, `
import stdlib, tempfile

kept = tempfile.TemporaryDirectory()
directory = kept.name
for name in "secrets", "queue", "calendar":
    open(os.path.join(directory, name + ".py"), "w").write("mine = True")
os.mkdir(os.path.join(directory, "email"))
open(os.path.join(directory, "email", "__init__.py"), "w").write("mine = True")
for name in "html", "decimal":  # directories are no modules beside one
    os.mkdir(os.path.join(directory, name))
open(os.path.join(directory, "html", "index.html"), "w").close()
for name in [name for name in sys.modules if name.partition(".")[0] in ("secrets", "queue", "calendar", "email")]:
    del sys.modules[name]
sys.path.insert(0, directory)

stdlib.share()
for name in "secrets", "queue", "calendar", "email":
    assert name not in sys.modules, name
    assert __import__(name).mine
for name in "html.parser", "decimal", "logging.handlers":
    assert name in sys.modules, name
assert sys.modules["logging.handlers"].queue.Queue
`, "")
}

// A Python whose library is not where it is expected shares nothing.
func TestStandardLibraryElsewhere(t *testing.T) {
	python(t, `
import stdlib

stdlib.DIRECTORY = "/nowhere"
stdlib.share()
assert "logging.config" not in sys.modules
`, "")
}
