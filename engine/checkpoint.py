"""The checkpoint of a collector: how far its sources were read, where ticks stand, what is kept back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from engine.errors import LogError, SettingsError, StateError

CHECKPOINT_AT_MOST: Final = 1_000_000
"""Bytes of a checkpoint: it is one message, and brokers and their clients refuse more than 1 MiB."""
GONE_AT_MOST: Final = 200_000
"""Bytes in it of the positions of feeds that are not there now, and may come back."""
_VERSION = 1
BROKEN = (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError)
"""What reading a damaged checkpoint raises."""


def write_checkpoint(
    ticks: Mapping[str, Any],
    sources: Mapping[str, Any],
    parked: Mapping[str, bytes],
    key_check: str,
    shared: Any = None,
) -> bytes:
    """Return a checkpoint. `key_check`: what tells the key by which subscribers are known.

    `sources`: source -> its position; `parked`: source -> what its treatments must not lose, as JSON;
    `shared`: what they remember together. Raise LogError if it is too large to be written.
    """
    checkpoint = {"v": _VERSION, "ticks": ticks, "sources": sources, "key": key_check}
    if parked:
        checkpoint["parked"] = {name: orjson.Fragment(kept) for name, kept in parked.items()}
    if shared is not None:
        checkpoint["shared"] = shared
    written = orjson.dumps(checkpoint)
    if len(written) > CHECKPOINT_AT_MOST:
        sizes = {name: len(orjson.dumps(position)) for name, position in sources.items()}
        name = max(sizes, key=lambda name: sizes[name])
        raise LogError(
            f"collector: expected a checkpoint of at most {CHECKPOINT_AT_MOST} bytes, was {len(written)}, "
            f"{sizes[name]} of them to say where the feed {name} stands"
        )
    return written


def read_checkpoint(checkpoint: bytes, key_check: str) -> dict[str, Any]:
    """Return what a checkpoint says, by the names of `write_checkpoint`.

    Raise `StateError` for one that is damaged or of a newer program, `SettingsError` if it was written with
    another key: every subscriber would be a stranger.
    """
    try:
        read: dict[str, Any] = orjson.loads(checkpoint)
        version = read["v"]
        if version == _VERSION:
            if read.get("key", key_check) != key_check:
                raise SettingsError(
                    ["TOUCHPOINT_KEY: expected the one that this collector has used before, was another"]
                )
            _ = [read[name] for name in ("ticks", "sources")]
            return read
    except BROKEN as error:
        raise damaged(error) from None
    raise StateError(f"collector: expected a checkpoint of version {_VERSION}, was {version!r}")


def newest(kept: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Return the last ones of what is kept of feeds that are gone, as many as `most` bytes hold."""
    found: dict[str, Any] = {}
    for name, position in reversed(list(kept.items())):
        most -= len(orjson.dumps({name: position}))
        if most < 0:
            break
        found = {name: position, **found}
    return found


def damaged(error: Exception) -> StateError:
    """Return the error for a checkpoint that is not what it has to be."""
    return StateError(f"collector: expected its checkpoint, was damaged ({error})")
