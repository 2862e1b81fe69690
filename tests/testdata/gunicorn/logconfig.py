"""All logs go where the rest of the company's Python logs go."""

import logging

bind = "0.0.0.0:5000"
accesslog = "-"


class HealthFilter(logging.Filter):
    """Probes are no visitors."""

    def filter(self, record):
        return "/health" not in record.getMessage()


logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": "INFO", "handlers": ["console"]},
    "filters": {"health": {"()": HealthFilter}},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["console"], "propagate": False, "qualname": "gunicorn.error"},
        "gunicorn.access": {"level": "INFO", "handlers": ["access"], "propagate": False, "filters": ["health"]},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "company", "stream": "ext://sys.stderr"},
        "access": {"class": "logging.StreamHandler", "formatter": "company", "stream": "ext://sys.stderr"},
    },
    "formatters": {"company": {"format": "%(asctime)s company %(name)s %(levelname)s %(message)s"}},
}
