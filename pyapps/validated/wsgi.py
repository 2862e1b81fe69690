"""The other applications inside the standard library's validator: "/<folder>/<path>" is its `application`.

The first segment may name another file and attribute: "/flask_app:app:app/".  $EAGER lists applications that must be
imported on the main thread.
"""
import importlib.util
import os
import sys
from wsgiref.util import shift_path_info
from wsgiref.validate import validator

FOLDERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
loaded = {}


def load(name):
    """The application `folder[:file[:attribute]]`."""
    folder, file, attribute = (name.split(":") + ["wsgi", "application"][name.count(":"):])[:3]
    path = os.path.join(FOLDERS, folder)
    sys.path.insert(0, path)
    try:
        spec = importlib.util.spec_from_file_location("app_" + folder, os.path.join(path, *file.split(".")) + ".py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(path)
    return validator(getattr(module, attribute))


for eager in os.environ.get("EAGER", "").split():
    loaded[eager] = load(eager)


def application(environ, start_response):
    name = shift_path_info(environ)
    if name not in loaded:
        loaded[name] = load(name)
    return loaded[name](environ, start_response)
