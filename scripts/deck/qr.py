"""The QR code of an address, made here: no service is asked."""

from __future__ import annotations

import segno
from markupsafe import escape


def qr(address: str) -> str:
    """One line of HTML: dark on light, with the quiet zone that readers need, and a quarter of it may be lost."""
    code = segno.make_qr(address, error="q")
    svg = code.svg_inline(border=4, dark="#080809", light="#fff", omitsize=True)
    named = f'<svg role="img" aria-label="{escape(f"QR code of {address}")}"'
    return f'<figure class="qr">{svg.replace("<svg", named, 1)}</figure>'
