"""The website: Python-Markdown extensions for its pages, and what it publishes beside them.

Nothing here needs MkDocs but ``building``: the extensions work under any builder that runs
Python-Markdown.
"""
