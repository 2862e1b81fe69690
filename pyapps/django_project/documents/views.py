import functools
import hashlib
import os
import random
import threading

from django.http import FileResponse, Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .forms import DocumentForm
from .models import Document

DOWNLOAD_SIZE = 5 * 1024 * 1024


def home(request):
    return render(request, "documents/home.html", {"documents": Document.objects.all()})


def upload(request):
    form = DocumentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("home")
    return render(request, "documents/upload.html", {"form": form})


def document_file(request, number):
    """The uploaded file, handed to the server as wsgi.file_wrapper (PEP 3333)."""
    document = get_object_or_404(Document, pk=number)
    if not document.file:
        raise Http404("this document has no file")
    return FileResponse(document.file.open("rb"), as_attachment=True)


def stream(request):
    """?lines=N (default 10) lines, without a Content-Length."""
    lines = int(request.GET.get("lines", 10))
    return StreamingHttpResponse(("line %d\n" % n for n in range(lines)), content_type="text/plain")


def request_json(request):
    """What this request looks like from inside."""
    return JsonResponse(
        {
            "method": request.method,
            "path": request.path,
            "query": request.META["QUERY_STRING"],
            "scheme": request.scheme,
            "host": request.get_host(),
            "url": request.build_absolute_uri(),
            "remote_addr": request.META.get("REMOTE_ADDR"),
            "forwarded_for": request.META.get("HTTP_X_FORWARDED_FOR"),
            "user": request.user.get_username(),
            "multithread": request.environ["wsgi.multithread"],
            "multiprocess": request.environ["wsgi.multiprocess"],
            "pid": os.getpid(),
            "thread": threading.current_thread().name,
        }
    )


@functools.lru_cache(maxsize=None)
def download_data():
    """5 MiB that repeat nowhere, so that a lost or doubled block shows, and their SHA-256."""
    data = random.Random(20).getrandbits(DOWNLOAD_SIZE * 8).to_bytes(DOWNLOAD_SIZE, "big")
    return data, hashlib.sha256(data).hexdigest()


def download(request):
    data, digest = download_data()
    response = HttpResponse(data, content_type="application/octet-stream")
    response["X-Sha256"] = digest
    return response


@csrf_exempt
@require_POST
def checksum(request):
    """Length and SHA-256 of the request's body, read in pieces as it comes."""
    digest, length = hashlib.sha256(), 0
    for piece in iter(lambda: request.read(64 * 1024), b""):
        digest.update(piece)
        length += len(piece)
    return JsonResponse({"length": length, "sha256": digest.hexdigest()})


def secure(request):
    return HttpResponse("secure" if request.is_secure() else "insecure", content_type="text/plain")
