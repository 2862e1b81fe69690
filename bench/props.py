"""What some rows need besides a server: a certificate, a file to be served."""

from __future__ import annotations

import subprocess
from pathlib import Path

from rows import BIG

# Runs in a shell as well as here: the page shows it.
CERTIFICATE = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
               "2", "-subj", "/CN=localhost", "-keyout", "{folder}/key.pem", "-out", "{folder}/cert.pem")


def prepare(folder: Path) -> None:
    """Makes everything that `paths` names. Raises OSError or CalledProcessError."""
    folder.mkdir()
    (folder / "large").write_bytes(BIG)
    command = [word.format(folder=folder) for word in CERTIFICATE]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def paths(folder: Path | str) -> dict[str, str]:
    """The values of the placeholders {files}, {cert} and {key}."""
    return {"files": str(folder), "cert": f"{folder}/cert.pem", "key": f"{folder}/key.pem"}
