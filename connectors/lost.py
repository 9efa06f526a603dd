"""How uvloop says that a connection was lost under a write: by an error that looks like a bug."""

from __future__ import annotations


def is_lost(error: BaseException) -> bool:
    """Say whether a RuntimeError is of a transport that was closed: "unable to perform operation on …"."""
    return isinstance(error, RuntimeError) and "Transport closed=True" in str(error)
