"""The checkpoint of a collector: how far its sources were read, where ticks stand, what is kept back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from engine.errors import SettingsError, StateError

_VERSION = 1
BROKEN = (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError)
"""What reading a damaged checkpoint raises."""


def write_checkpoint(
    ticks: Mapping[str, Any],
    sources: Mapping[str, Any],
    parked: Mapping[str, Any],
    key_check: str,
    shared: Any = None,
) -> bytes:
    """Return a checkpoint. `key_check`: what tells the key by which subscribers are known.

    `parked`: source -> what its treatments keep back; `shared`: what they remember together.
    """
    checkpoint = {"v": _VERSION, "ticks": ticks, "sources": sources, "key": key_check}
    if parked:
        checkpoint["parked"] = parked
    if shared is not None:
        checkpoint["shared"] = shared
    return orjson.dumps(checkpoint)


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


def without(kept: Any, keys: Collection[str]) -> Any:
    """Return what a source's treatments keep without what is kept of some subscribers.

    It is for sources that have no treatments now, so none can say what is whose. All of them write what they
    keep of one under the key, or in a list that holds the key.
    """
    if isinstance(kept, dict):
        return {name: without(each, keys) for name, each in kept.items() if name not in keys}
    if isinstance(kept, list):
        return [without(each, keys) for each in kept if not (isinstance(each, list) and _is_of(each, keys))]
    return kept


def _is_of(kept: list[Any], keys: Collection[str]) -> bool:
    return any(isinstance(each, str) and each in keys for each in kept)


def damaged(error: Exception) -> StateError:
    """Return the error for a checkpoint that is not what it has to be."""
    return StateError(f"collector: expected its checkpoint, was damaged ({error})")
