"""nginx before a server: the rows that measure a server where it usually stands."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

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
    upstream app {{ server unix:{unix}; keepalive 64; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ {how} }}
    }}
}}
"""

# The directives that pass a request on, by the name of the first of them.
HOW = {
    "proxy_pass": 'proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";'
                  " proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;"
                  " proxy_set_header X-Forwarded-Proto $scheme;",
}


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
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not program:
            raise StartError("nginx is not installed: bench/setup.sh")
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "nginx.conf"
        user = "root" if os.getuid() == 0 else "nobody"
        config.write_text(CONFIG.format(user=user, folder=self.folder, unix=self.server.unix, port=self.port,
                                        how=HOW[self.directive]))
        self.nginx = Server([program, "-c", str(config), "-e", str(self.folder / "error.log")], self.folder, self.port,
                            str(self.core), self.folder / "log")
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
