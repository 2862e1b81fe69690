"""The twelve-factor trick: each variable GUNICORN_X becomes the setting x."""

import os

for key, value in os.environ.items():
    if key.startswith("GUNICORN_") and key != "GUNICORN_CMD_ARGS":
        locals()[key.split("_", 1)[1].lower()] = value
