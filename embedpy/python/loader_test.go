package python

import "testing"

func TestApplicationNames(t *testing.T) {
	python(t, `
import loader

for spec, want in {
    "m": ("m", "application", None, None),
    "m:": ("m", "application", None, None),
    "a.b:app": ("a.b", "app", None, None),
    "m:app.wsgi": ("m", "app.wsgi", None, None),
    "m:make()": ("m", "make", [], {}),
    "m:make(1, 'a', x=[None])": ("m", "make", [1, "a"], {"x": [None]}),
    "m:C.make(1)": ("m", "C.make", [1], {}),
}.items():
    assert loader.parse(spec) == want, (spec, loader.parse(spec))

for spec in "m:1", "m:a b", "m:a[0]", "m:(", "m:make(x)", "m:make(**{})", "m:make()()", "m:'app'", "m:a;b":
    raises(loader.AppImportError, loader.parse, spec)
`, "")
}

// Exit code 4 says that there is no application where it should be, 3 that the import itself failed.
func TestLoadFailures(t *testing.T) {
	python(t, `
import loader

app = types.ModuleType("app")
sys.modules["app"] = app
exec('''
application = lambda environ, start_response: []
nothing = None
number = 1
def factory(a, b=2): return application
def broken(): raise TypeError("from inside")
def gives_nothing(): pass
class settings: wsgi = application
''', app.__dict__)

for spec in "app", "app:application", "app:settings.wsgi", "app:factory(1)", "app:factory(1, b=3)":
    assert loader.load(spec) is app.application, spec

def failure(spec):
    try:
        loader.load(spec)
    except loader.LoadFailure as failed:
        return failed
    raise AssertionError(spec + " loads")

for spec, code, cause in (
    ("app:missing", 4, "Failed to find attribute 'missing' in 'app'."),
    ("app:nothing", 4, "None"),
    ("app:number", 4, "Application object must be callable: 'app:number' is int."),
    ("app:gives_nothing()", 4, "None"),
    ("app:factory()", 4, "Calling 'app:factory()' failed: "),
    ("app:broken()", 3, "TypeError: from inside"),
    ("loader.py", 4, "did you mean 'loader:application'?"),
    ("loader.py:factory(1)", 4, "did you mean 'loader:factory(1)'?"),
    ("app:factory(", 4, "Failed to parse 'factory(' as an attribute name or function call."),
    ("no_such_module", 3, "ModuleNotFoundError: No module named 'no_such_module' (looked in '.' and in Python "),
):
    got = failure(spec)
    assert got.code == code and cause in got.cause and "Traceback" in got.trace, (spec, got.code, got.cause)
    # One cause: what led to the server's own message is the server's business.
    assert "During handling" not in got.trace, (spec, got.trace)

class Exits:
    def find_spec(self, name, path, target=None):
        if name == "exits": sys.exit(5)
sys.meta_path.insert(0, Exits())
assert failure("exits").code == 3 and "sys.exit(5)" in failure("exits").cause
`, "")
}

// What the process looks like when the application is imported: gunicorn's order of sys.path.
func TestPrepare(t *testing.T) {
	python(t, `
import loader, tempfile

loader.SERVER_SOFTWARE = "pyhost/1"
with tempfile.TemporaryDirectory() as place:
    place = os.path.realpath(place)
    loader.prepare({"raw_env": ["A=b=c", "EMPTY="], "chdir": place, "pythonpath": "one,/two,"}, ["--flag", "x"])
    assert os.getcwd() == place
    assert sys.path[:3] == ["/two", os.path.join(place, "one"), place], sys.path[:3]
    assert os.environ["A"] == "b=c" and os.environ["EMPTY"] == "" and os.environ["SERVER_SOFTWARE"] == "pyhost/1"
    assert sys.argv == ["--flag", "x"]
    loader.prepare({}, [])
    assert sys.path.count(place) == 1 and sys.argv == ["pyhost"]
    os.chdir("/")
`, "")
}
