"""Reports what an earlier request left in the environ (nothing is right), then wrecks its own."""


def application(environ, start_response):
    left = environ.get("left.behind", "nothing")
    complete = "wsgi.version" in environ and "REQUEST_METHOD" in environ
    environ.clear()
    environ["left.behind"] = "something"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["left: {}, complete: {}".format(left, complete).encode()]
