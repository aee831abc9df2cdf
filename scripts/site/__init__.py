"""The website: Python-Markdown extensions for its pages, and what it publishes beside them.

Nothing here needs MkDocs but ``building`` and ``hooks``: the extensions work under any builder that runs
Python-Markdown.
"""
