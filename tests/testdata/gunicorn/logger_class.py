"""gunicorn's own logger with less noise in the access log."""

import logging

from gunicorn import glogging

bind = "0.0.0.0:8000"
accesslog = "-"


class ProbeFilter(logging.Filter):
    def filter(self, record):
        return "/ping" not in record.getMessage()


class CustomLogger(glogging.Logger):
    def setup(self, cfg):
        super().setup(cfg)
        formatter = logging.Formatter("custom %(name)s [%(process)d] %(message)s")
        for handler in self.error_log.handlers + self.access_log.handlers:
            handler.setFormatter(formatter)
        self.access_log.addFilter(ProbeFilter())


logger_class = CustomLogger
