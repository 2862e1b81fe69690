"""Settings of django_site; they know which process has imported them."""
import os

IMPORTED_BY = os.getpid()
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "django_site"
SECRET_KEY = "public"  # noqa: S105
TIME_ZONE = "Europe/Paris"
USE_TZ = True
