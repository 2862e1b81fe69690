"""Bottle's hello of the benchmark."""

import bottle

application = bottle.Bottle()


@application.route("/")
def hello():
    """Answers 14 bytes of plain text."""
    bottle.response.content_type = "text/plain"
    return "Hello, World!\n"
