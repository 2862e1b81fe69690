"""Falcon's hello of the benchmark."""

import falcon


class Hello:
    """The resource at /."""

    def on_get(self, request, response):
        """Answers 14 bytes of plain text."""
        response.content_type = "text/plain"
        response.text = "Hello, World!\n"


application = falcon.App()
application.add_route("/", Hello())
