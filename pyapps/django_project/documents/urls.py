from django.urls import path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("upload/", views.upload, name="upload"),
    path("documents/<int:number>/file", views.document_file, name="document-file"),
    path("stream/", views.stream, name="stream"),
    path("request.json", views.request_json, name="request-json"),
    path("download/", views.download, name="download"),
    path("checksum/", views.checksum, name="checksum"),
    path("secure/", views.secure, name="secure"),
]
