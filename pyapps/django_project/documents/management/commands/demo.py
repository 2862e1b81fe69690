"""manage.py demo: an admin user and a few documents, each only where there is none yet."""
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand

from documents.models import Document

SAMPLES = {
    "Welcome": "This document was made by `manage.py demo`.\n",
    "Shopping list": "milk\nbread\nanother snake\n",
    "PEP 3333": "application(environ, start_response)\n",
}


class Command(BaseCommand):
    help = "Creates the user admin (password: admin) and sample documents, unless they exist."

    def handle(self, *args, **options):
        users = get_user_model().objects
        if users.filter(username="admin").exists():
            self.stdout.write("user admin exists already")
        else:
            users.create_superuser("admin", "admin@example.com", "admin")
            self.stdout.write("created user admin with password admin")
        if Document.objects.exists():
            self.stdout.write("documents exist already")
            return
        for title, text in SAMPLES.items():
            document = Document(title=title)
            document.file.save(title.lower().replace(" ", "-") + ".txt", ContentFile(text.encode()))
        self.stdout.write("created %d sample documents" % len(SAMPLES))
