"""Flask in a container: everything can be set from outside."""

import json
import os

port = os.environ.get("APP_PORT", "8080")
host = os.getenv("HOST", "0.0.0.0")
cores = os.cpu_count() or 1
workers_per_core = float(os.getenv("WORKERS_PER_CORE", "1"))
web_concurrency = os.getenv("MAX_CONCURRENCY")

if web_concurrency:
    workers = int(web_concurrency)
    assert workers > 0
else:
    workers = max(int(workers_per_core * cores), 2)

bind = os.getenv("BIND") or f"{host}:{port}"
loglevel = os.getenv("LOG_LEVEL", "info")
accesslog = os.getenv("ACCESS_LOG", "-") or None
errorlog = os.getenv("ERROR_LOG", "-") or None
worker_tmp_dir = "/dev/shm"
worker_class = "gthread"
threads = int(os.getenv("THREADS", "4"))
timeout = int(os.getenv("TIMEOUT", "120"))
graceful_timeout = int(os.getenv("GRACEFUL_TIMEOUT", "120"))
keepalive = int(os.getenv("KEEP_ALIVE", "5"))

log_data = {
    "loglevel": loglevel, "workers": workers, "bind": bind, "timeout": timeout,
    "workers_per_core": workers_per_core, "host": host, "port": port,
}
print(json.dumps(log_data), flush=True)
