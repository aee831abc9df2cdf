"""What can go wrong in a way that a person can do something about."""


class DatasetError(Exception):
    """One clear line: what is wrong, where, and the way out."""
