"""Keeps what one request was given and uses it in the next; answers with what that raised."""

kept = {}


def attempt(action):
    try:
        action()
    except Exception as error:
        return type(error).__name__
    return "nothing"


def application(environ, start_response):
    results = []
    if kept:
        results.append(attempt(lambda: kept["start_response"]("500 Late", [("X-Late", "yes")])))
        results.append(attempt(lambda: kept["write"](b"late bytes")))
        results.append(attempt(lambda: kept["early_hints"]([("X-Late", "yes")])))
        results.append(attempt(lambda: kept["input"].read()))
        attempt(lambda: kept["errors"].flush())
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    kept.update(start_response=start_response, write=write, input=environ["wsgi.input"],
                early_hints=environ["wsgi.early_hints"], errors=environ["wsgi.errors"])
    return [",".join(results).encode()]
