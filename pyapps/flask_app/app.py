"""A small real Flask application: pyhost --chdir pyapps/flask_app app:app

FLASK_SECRET_KEY must be the same in all workers; the default is for demonstrations only.
FLASK_UPLOAD_DIR is where uploaded files go; default: data/ beside this file.
"""
import functools
import hashlib
import os
import random
from pathlib import Path

from flask import Flask, Response, abort, jsonify, redirect, render_template, request, session, url_for
from flask import send_from_directory
from werkzeug.utils import secure_filename

DOWNLOAD_SIZE = 5 * 1024 * 1024
UPLOADS = Path(os.environ.get("FLASK_UPLOAD_DIR", Path(__file__).parent / "data")).resolve()

app = Flask(__name__)
app.secret_key = os.environ.get("FLASK_SECRET_KEY", "for-demonstrations-only")


@app.get("/")
def index():
    files = sorted(path.name for path in UPLOADS.iterdir()) if UPLOADS.is_dir() else []
    return render_template("index.html", files=files, user=session.get("user"))


@app.route("/login", methods=["GET", "POST"])
def login():
    """Keeps the name that was given in the signed session cookie."""
    if request.method == "POST":
        session["user"] = request.form["user"]
        return redirect(url_for("index"))
    return render_template("login.html")


@app.post("/logout")
def logout():
    session.clear()
    return redirect(url_for("index"))


@app.post("/upload")
def upload():
    """Keeps a file of a multipart form. For users who have logged in."""
    if "user" not in session:
        abort(403)
    file = request.files["file"]
    name = secure_filename(file.filename) or "unnamed"
    UPLOADS.mkdir(parents=True, exist_ok=True)
    file.save(UPLOADS / name)
    return redirect(url_for("uploaded", name=name))


@app.get("/files/<name>")
def uploaded(name):
    """The uploaded file, handed to the server as wsgi.file_wrapper (PEP 3333)."""
    return send_from_directory(UPLOADS, name, as_attachment=True)


@app.get("/stream")
def stream():
    """?lines=N (default 10) lines, without a Content-Length."""
    lines = request.args.get("lines", 10, type=int)
    return Response(("line %d\n" % n for n in range(lines)), mimetype="text/plain")


@functools.lru_cache(maxsize=None)
def download_data():
    """5 MiB that repeat nowhere, so that a lost or doubled block shows, and their SHA-256."""
    data = random.Random(20).getrandbits(DOWNLOAD_SIZE * 8).to_bytes(DOWNLOAD_SIZE, "big")
    return data, hashlib.sha256(data).hexdigest()


@app.get("/download")
def download():
    data, digest = download_data()
    return Response(data, mimetype="application/octet-stream", headers={"X-Sha256": digest})


@app.post("/checksum")
def checksum():
    """Length and SHA-256 of the request's body, read in pieces as it comes."""
    digest, length = hashlib.sha256(), 0
    for piece in iter(lambda: request.stream.read(64 * 1024), b""):
        digest.update(piece)
        length += len(piece)
    return jsonify(length=length, sha256=digest.hexdigest())


@app.get("/scheme")
def scheme():
    return jsonify(scheme=request.scheme, secure=request.is_secure, url=request.url, remote_addr=request.remote_addr)
