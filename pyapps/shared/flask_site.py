"""A Flask application that says what it found when it was imported."""
import sys

shared = "flask" in sys.modules

from flask import Flask, jsonify  # noqa: E402: what the line above sees is the point

application = Flask(__name__)


@application.route("/")
def found():
    """The view."""
    return jsonify(shared=shared)
