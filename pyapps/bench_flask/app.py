"""Flask's hello of the benchmark."""

from flask import Flask

application = Flask(__name__)


@application.route("/")
def hello():
    """Answers 14 bytes of plain text."""
    return "Hello, World!\n", {"Content-Type": "text/plain"}
