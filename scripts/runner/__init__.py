"""Doing: runs blocks, compares what they print, keeps checkpoints. Knows no Markdown syntax."""
