"""Writes to wsgi.errors in every way that PEP 3333 promises."""


def application(environ, start_response):
    errors = environ["wsgi.errors"]
    errors.write("written to wsgi.errors\n")
    errors.writelines(["first of two\n", "second of two\n"])
    print("printed to wsgi.errors: caf\u00e9", file=errors)
    errors.flush()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"complained"]
