from django.apps import AppConfig
from django.db.backends.signals import connection_created


def use_write_ahead_log(connection, **kwargs):
    """Lets readers go on while another worker writes. Stays in the file: after the first time this changes nothing."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=NORMAL")


class DocumentsConfig(AppConfig):
    name = "documents"

    def ready(self):
        connection_created.connect(use_write_ahead_log)
