"""Answers with the environ as JSON: each value next to the name of its exact type."""
import json


def describe(value):
    if isinstance(value, (str, bool, int, tuple)):
        return [type(value).__name__, value]
    return [type(value).__name__, callable(value)]


def application(environ, start_response):
    report = {
        "type": type(environ).__name__,
        "key types": sorted({type(key).__name__ for key in environ}),
        "environ": {key: describe(value) for key, value in environ.items()},
    }
    body = json.dumps(report).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]
