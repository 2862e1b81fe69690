"""Performs on wsgi.input what the query string lists ("read:5,readline") and answers with the results as JSON."""
import json


def perform(stream, step):
    name, _, size = step.partition(":")
    if name == "iterate":
        result = list(stream)
    elif name == "next":
        result = next(stream)
    else:
        result = getattr(stream, name)(*([int(size)] if size else []))
    if isinstance(result, list):
        return [line.decode("latin-1") for line in result]
    return result.decode("latin-1")


def application(environ, start_response):
    steps = [step for step in environ["QUERY_STRING"].split(",") if step]
    results = [perform(environ["wsgi.input"], step) for step in steps]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(results).encode()]
