"""How clients say that a connection was lost under a write: by errors that look like bugs.

uvloop raises a RuntimeError; redis-py's client of a cluster, which drops all connections while it learns the
cluster anew, an AttributeError of the stream that another task has taken away.

Every place that turns errors of a client into ours does its work inside `lost_connections`: what comes out is
then an OSError like any other loss of a connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_OF_STREAMS = ("write", "writelines", "drain", "read", "readuntil", "readexactly")


class LostConnectionError(ConnectionError):
    """A connection was closed while something was written to it."""

    def __init__(self) -> None:
        super().__init__("lost connection")


@contextmanager
def lost_connections() -> Iterator[None]:
    """Turn such errors into `LostConnectionError`."""
    try:
        yield
    except RuntimeError as error:
        if "Transport closed=True" not in str(error):
            raise
        raise LostConnectionError from error
    except AttributeError as error:
        if error.obj is not None or error.name not in _OF_STREAMS:
            raise
        raise LostConnectionError from error


def word_of(error: BaseException) -> str:
    """Name in a message what came instead of an answer: the class of an error, or a lost connection."""
    return "a lost connection" if isinstance(error, LostConnectionError) else type(error).__name__
