"""A whole Django project in one file, which says what it found when it was imported."""
import os
import sys

shared = "django.core.wsgi" in sys.modules

from django.core.wsgi import get_wsgi_application  # noqa: E402: what the line above sees is the point

from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

FOUND = {"shared": shared, "configured": settings.configured, "apps": apps.apps_ready}
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_settings")
application = get_wsgi_application()


def found(request):
    """The view."""
    return JsonResponse(dict(FOUND, settings=settings.IMPORTED_BY == os.getpid(), zone=os.environ.get("TZ")))


urlpatterns = [path("", found)]
