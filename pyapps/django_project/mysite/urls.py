from django.contrib import admin
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("documents.urls")),
]

# Empty unless DEBUG is on. In production nginx serves /static/ (docs/deployment.md).
urlpatterns += staticfiles_urlpatterns()
