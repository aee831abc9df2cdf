"""Certificates for stand-ins: they answer under the names of the systems that they stand in for."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme


def certified(host: str, authority: Path) -> ssl.SSLContext:
    """A server's side of TLS under the name ``host``. Clients that trust ``authority``, written here, trust it."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(authority))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert(host).configure_cert(context)
    return context
