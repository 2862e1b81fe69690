"""nginx before a server: the rows that measure a server where it usually stands."""

from __future__ import annotations

import os
from pathlib import Path

from contenders import NGINX
from processes import Server, StartError, free_port

CONFIG = """daemon off;
user {user};
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/c; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    keepalive_requests 100000000;
    sendfile on;
    upstream app {{ server unix:{unix}; keepalive 64; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port};
        location {location} {{ {how} }}
    }}
}}
"""

# The directives that pass a request on, by the name of the first of them.
HOW = {
    "proxy_pass": 'proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";'
                  " proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;"
                  " proxy_set_header X-Forwarded-Proto $scheme;",
    # What Debian's /etc/nginx/uwsgi_params passes.
    "uwsgi_pass": "uwsgi_pass app;" + "".join(f" uwsgi_param {name} ${variable};" for name, variable in (
        ("QUERY_STRING", "query_string"), ("REQUEST_METHOD", "request_method"), ("CONTENT_TYPE", "content_type"),
        ("CONTENT_LENGTH", "content_length"), ("REQUEST_URI", "request_uri"), ("PATH_INFO", "document_uri"),
        ("DOCUMENT_ROOT", "document_root"), ("SERVER_PROTOCOL", "server_protocol"), ("REQUEST_SCHEME", "scheme"),
        ("HTTPS", "https if_not_empty"), ("REMOTE_ADDR", "remote_addr"), ("REMOTE_PORT", "remote_port"),
        ("SERVER_PORT", "server_port"), ("SERVER_NAME", "server_name"))),
}


def bind(directive: str, unix: str) -> str:
    """The address for a server that nginx reaches so, on the unix socket of that path."""
    return f"uwsgi+unix:{unix}" if directive == "uwsgi_pass" else f"unix:{unix}"


def configure(folder: Path, port: int, how: str, unix: str = "", location: str = "/") -> list[str]:
    """Writes a configuration for nginx into the folder; returns its command line. Raises StartError without nginx."""
    if not NGINX:
        raise StartError("nginx is not installed: bench/setup.sh")
    folder.mkdir(exist_ok=True)
    config = folder / "nginx.conf"
    user = "root" if os.getuid() == 0 else "nobody"
    config.write_text(CONFIG.format(user=user, folder=folder, unix=unix or folder / "nobody", port=port, how=how,
                                    location=location))
    return [NGINX, "-c", str(config)]  # no -e: nginx has it since 1.19.5


class Fronted:
    """A server on a unix socket with an nginx before it; to the measuring it is a Server whose port is nginx's.

    `pid`, and with it CPU and memory, are the server's own: nginx, on the load's core, costs the same for everybody.
    """

    def __init__(self, server: Server, directive: str, folder: Path, core: int):
        self.server, self.directive, self.folder, self.core = server, directive, folder, core
        self.port = free_port()
        self.nginx: Server | None = None

    @property
    def pid(self) -> int:
        """Of the server's first process."""
        return self.server.pid

    def start(self, deadline: float = 20.0) -> None:
        """Starts the server, then nginx. Raises StartError."""
        self.server.start(deadline)
        command = configure(self.folder, self.port, HOW[self.directive], self.server.unix)
        self.nginx = Server(command, self.folder, self.port, str(self.core), self.folder / "log")
        self.nginx.start(deadline)

    def terminate(self) -> None:
        """Asks both to go."""
        if self.nginx:
            self.nginx.terminate()
        self.server.terminate()

    def stop(self, grace: float = 5.0) -> None:
        """Ends both."""
        if self.nginx:
            self.nginx.stop(grace)
        self.server.stop(grace)
