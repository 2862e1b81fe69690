"""Exceeds RLIMIT_FSIZE: while it is imported, in a request ("/here") and in a forked child ("/child")."""
import os
import resource


def exceed():
    """What a write beyond the limit comes to; a signal would end the process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    file = os.memfd_create("")
    try:
        os.write(file, b"x")
        return "written"
    except OSError as error:
        return os.strerror(error.errno)
    finally:
        os.close(file)
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


at_import = exceed()


def child():
    pid = os.fork()
    if pid == 0:
        os._exit(exceed() != "File too large")
    return str(os.waitpid(pid, 0)[1])


def application(environ, start_response):
    body = {"/here": exceed, "/child": child}.get(environ["PATH_INFO"], lambda: at_import)()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body.encode()]
