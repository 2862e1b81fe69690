"""Behind the nginx of a platform: it waits for this file before it lets requests in."""

import os

bind = "unix:///tmp/nginx.socket"
workers = int(os.environ.get("WEB_CONCURRENCY", 2))
forwarded_allow_ips = "*"
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
x_forwarded_for_header = "X-FORWARDED-FOR"  # a setting of long ago
preload_app = True


def when_ready(server):
    path = os.path.join(os.environ.get("DIRECTORY", "/tmp"), "app-initialized")
    open(path, "w").close()
    server.log.info("touched %s", os.path.basename(path))
