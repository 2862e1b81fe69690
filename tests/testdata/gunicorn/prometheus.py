"""Metrics of several processes: the files of a dead worker are marked, the numbers are served by the master."""

import os
import tempfile

if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="prometheus", dir=os.environ.get("DIRECTORY"))

from prometheus_client import CollectorRegistry, multiprocess, start_http_server  # noqa: E402

bind = "0.0.0.0:8000"
workers = 2
max_requests = 3


def when_ready(server):
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    exporter = start_http_server(int(os.environ.get("METRICS_PORT", "9187")), registry=registry)
    server.log.info("metrics are served %s", "by a thread" if exporter else "by this process")


def child_exit(server, worker):
    multiprocess.mark_process_dead(worker.pid)
    server.log.info("marked %s dead", worker.pid)
