"""A stand-in for a forge such as GitHub: repositories, workflows, and an API."""

from .server import HOST, Forge

__all__ = ["HOST", "Forge"]
