"""One view at the root, and the admin, whose modules a real project loads as well."""

from django.contrib import admin
from django.http import HttpResponse
from django.urls import path


def hello(request):
    """Answers 14 bytes of plain text."""
    return HttpResponse("Hello, World!\n", content_type="text/plain")


urlpatterns = [path("", hello), path("admin/", admin.site.urls)]
