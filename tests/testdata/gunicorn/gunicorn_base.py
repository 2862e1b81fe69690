"""What shared.py begins with: no configuration by itself."""

workers = 1
worker_class = "gthread"
threads = 2
timeout = 45
bind = ["0.0.0.0:8000"]
