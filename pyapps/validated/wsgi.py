"""Another behaviour's application, named by $BEHAVIOUR, inside the standard library's validator."""
import importlib.util
import os
from wsgiref.validate import validator

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", os.environ["BEHAVIOUR"], "wsgi.py")
spec = importlib.util.spec_from_file_location("behaviour", path)
behaviour = importlib.util.module_from_spec(spec)
spec.loader.exec_module(behaviour)

application = validator(behaviour.application)
