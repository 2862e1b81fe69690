"""A Django project behind nginx on a small virtual machine."""

import multiprocessing

wsgi_app = "mysite.wsgi:application"

bind = "unix:/run/shop/gunicorn.sock"
backlog = 1024
workers = min(multiprocessing.cpu_count() * 2 + 1, 3)
worker_class = "sync"
worker_connections = 1000
timeout = 60
graceful_timeout = 20
keepalive = 2

max_requests = 1200
max_requests_jitter = 100
preload_app = True

errorlog = "-"
loglevel = "info"
accesslog = "-"
access_log_format = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'

proc_name = "shop"
secure_scheme_headers = {"X-FORWARDED-PROTO": "https", "X-FORWARDED-SSL": "on"}
raw_env = ["DJANGO_SETTINGS_MODULE=mysite.settings"]
