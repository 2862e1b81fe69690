"""HTTPS without a proxy, with certificates of clients."""

import os
import ssl
from pathlib import Path

secrets = Path(os.environ["SECRETS"])

bind = ["0.0.0.0:8443"]
certfile = str(secrets / "server.pem")
keyfile = str(secrets / "server.key")
ca_certs = secrets / "ca.pem"
cert_reqs = ssl.CERT_OPTIONAL
ssl_version = ssl.PROTOCOL_TLS_SERVER if hasattr(ssl, "PROTOCOL_TLS_SERVER") else "TLS"
do_handshake_on_connect = True
ciphers = None
suppress_ragged_eofs = True
