"""Portraits that show nobody: the initials of a name in a circle."""

from __future__ import annotations

from markupsafe import escape


def portrait(name: str) -> str:
    """One line of HTML. The name stands beside it, so that there is nothing to read out."""
    initials = "".join(word[0] for word in name.split())
    return (
        '<svg class="portrait" viewBox="0 0 100 100" aria-hidden="true"><circle cx="50" cy="50" r="48"/>'
        f'<text x="50" y="62">{escape(initials)}</text></svg>'
    )
