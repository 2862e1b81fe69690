package python

import "testing"

// flask and helper stand for an installed framework: site-packages have them, behind the standard library.
const sharedPrelude = frameworkPrelude + `
import shared
shared_files = {"app.py": "import flask\n"}
site = tempfile.TemporaryDirectory()
sys.path[:] = [path for path in sys.path if "-packages" not in path] + [site.name]

def install(**files):
    for name, text in files.items():
        with open(os.path.join(site.name, name + ".py"), "w") as f:
            f.write(text)
    importlib.invalidate_caches()

def share(*words):
    del lines[:]
    shared.share({"share_imports": list(words), "wsgi_app": "app"}, lambda *line: lines.append(line))

lines = []
install(flask="import os, helper, wsgiref.util\nsettings = os.environ.get('DJANGO_SETTINGS_MODULE')\n", helper="")
os.environ["DJANGO_SETTINGS_MODULE"] = "kept"
`

func TestShareAuto(t *testing.T) {
	python(t, sharedPrelude+`
os.mkdir(os.path.join(site.name, "package"))
install(**{"package/__init__": "", "package/part": "version = 1"})
install(helper="import package.part")
with application(shared_files) as directory:
    path = list(sys.path)
    share("auto")
    assert lines == [("debug", "share_imports auto: flask")], lines
    assert sys.path == path and "app" not in sys.modules and "logging.config" in sys.modules
    assert sys.modules["flask"].settings is None and os.environ["DJANGO_SETTINGS_MODULE"] == "kept"
    assert sorted(shared._files) == sorted(shared._automatic) == ["flask", "helper", "package", "package.part"]

    # a worker: nothing has changed, then sys.path has, then a file deep in a package
    shared.renew(print)
    shared.check(print)
    assert "flask" in sys.modules
    sys.path.append("/nowhere")
    shared.check(print)
    with application({"flask.py": "", "helper/x": ""}) as vendor:
        shared.check(lambda *line: lines.append(line))
        assert lines[1:] == [("warning", "the application's sys.path has flask in %s, but the workers share %s; with "
            "--share-imports stdlib each imports its own" % (
            os.path.join(vendor, "flask.py"), os.path.join(site.name, "flask.py")))], lines
    install(**{"package/part": "version = 2 # patched"})
    shared.renew(print)
    assert "flask" not in sys.modules and "helper" not in sys.modules and "wsgiref.util" in sys.modules
    import flask
    assert flask.helper.package.part.version == 2 and flask.settings == "kept"
    sys.path.append("/nowhere/else")
    shared.check(print)
`, "")
}

// What auto cannot share as the application would have it leaves no trace.
func TestShareAutoFails(t *testing.T) {
	python(t, sharedPrelude+`
for files, installed, wanted in [
    ({"wsgiref/__init__.py": ""}, {}, "the application has a module of the same name as one that flask needs"),
    ({"helper.py": ""}, {}, "the application has a module of the same name as one that flask needs"),
    ({}, {"flask": "import helper\nraise ValueError"}, "flask cannot be imported"),
    ({}, {"flask": "import helper\nimport nosuch"}, "flask cannot be imported"),
    ({"app.py": "import sys, newrelic, flask\n"}, {}, "newrelic is imported before"),
]:
    install(**installed)
    for name in "wsgiref", "wsgiref.util":
        sys.modules.pop(name, None)
    with application(dict(shared_files, **files)):
        share("auto")
        assert lines == [("debug", "share_imports auto: only the standard library: " + wanted)], lines
        assert "flask" not in sys.modules and "helper" not in sys.modules and not shared._files
        assert "wsgiref" not in sys.modules or "wsgiref/__init__.py" not in files
        assert os.environ["DJANGO_SETTINGS_MODULE"] == "kept"
framework.choose = lambda config: {}["unforeseen"]
share("auto")
assert lines == [("debug", "share_imports auto: only the standard library: KeyError: 'unforeseen'")], lines
`, "")
}

func TestShareNamed(t *testing.T) {
	python(t, sharedPrelude+`
install(stops="import sys\nsys.exit('no')", mute="""
class Mute(Exception):
    def __str__(self):
        raise ValueError
raise Mute
""", threads="""
import threading
end = threading.Event()
thread = threading.Thread(target=end.wait)
thread.start()
""")
with application(shared_files):
    share("none")
    share()
    assert not lines and "logging.config" not in sys.modules
    share("stdlib")
    assert not lines and "logging.config" in sys.modules and "flask" not in sys.modules
    share("nosuch.module", "stops", "mute", "helper", "threads")
    sys.modules["threads"].end.set()
    sys.modules["threads"].thread.join()
    assert lines == [
        ("warning", "share_imports: nosuch.module is not shared, its import failed: "
         "ModuleNotFoundError: No module named 'nosuch'"),
        ("warning", "share_imports: stops is not shared, its import failed: SystemExit: no"),
        ("warning", "share_imports: mute is not shared, its import failed: Mute: (its text cannot be shown)"),
        ("warning", "share_imports: the import of threads has started a thread, which workers will not have; if it "
         "needs the thread, take it out"),
    ], lines
    assert "flask" not in sys.modules and sorted(shared._files) == ["helper", "threads"]
    share("auto", "helper")
    assert "flask" in sys.modules and lines == [("debug", "share_imports auto: flask")], lines
    os.utime(os.path.join(site.name, "flask.py"), (1, 1))
    shared.renew(lambda *line: lines.append(line))
    assert lines[1:] == [("warning",
        "share_imports: shared libraries have changed on disk; a reload (SIGHUP) imports them anew")], lines
    assert "flask" in sys.modules
`, "")
}
