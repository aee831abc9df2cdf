"""Reading: page → blocks → chapter → guide. Knows Markdown, runs nothing."""

from .grammar import DEFAULT
from .guide import Guide, read_chapter
from .model import (
    Background,
    Block,
    Chapter,
    Expect,
    File,
    Hidden,
    Notebook,
    PageError,
    Place,
    Run,
    Shown,
    Skip,
    Variant,
)

__all__ = [
    "DEFAULT",
    "Background",
    "Block",
    "Chapter",
    "Expect",
    "File",
    "Guide",
    "Hidden",
    "Notebook",
    "PageError",
    "Place",
    "Run",
    "Shown",
    "Skip",
    "Variant",
    "read_chapter",
]
