"""What goes wrong."""

from __future__ import annotations


class DeckError(Exception):
    """The deck cannot be made. One line for people: what, and the way out."""
