"""One base for all of the sites, and what this one does otherwise."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from gunicorn_base import *  # noqa: E402,F401,F403
from gunicorn_base import workers  # noqa: E402

workers = workers + 1
reload = os.environ.get("DEBUG") == "1"
reload_engine = "auto"
spew = False
