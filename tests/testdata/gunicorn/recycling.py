"""A library that leaks: workers are replaced now and then, not all at once."""

from os import environ

bind = "127.0.0.1:" + environ.get("PORT", "8000")
workers = 2
worker_class = "sync"
max_requests = 10
max_requests_jitter = 5
timeout = 90
reuse_port = False
daemon = False
pidfile = environ.get("PIDFILE")
check_config = False
print_config = False
