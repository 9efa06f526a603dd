"""What a chain must not lose, written in the room that a checkpoint has for it.

Two things are in a pack: events that are kept back, which may not be lost, and what steps remember of
subscribers, which may. So where there is not enough room the memory gives way: those longest without a record
are left out, and after a restart they are strangers. Who writes lets events go on early only if that is not
enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

FORGETTABLE: Final = ("recent", "known", "false", "waiting")
"""Keys of a step's pack under which it has subscribers, longest untouched first. A list is all of that."""


def written(steps: Mapping[str, Any], head: Mapping[str, Any], most: int) -> bytes:
    """Return the packs of steps with what stands before them; in `most` bytes, if their memory is all that
    is too much.
    """
    packs = dict(steps)
    while True:
        raw = orjson.dumps({**head, "steps": packs})
        over = len(raw) - most
        if over <= 0:
            return raw
        memories = [place for place in _places(packs) if _held(packs, place)]
        if not memories:
            return raw
        sizes = sum(len(orjson.dumps(_held(packs, place))) for place in memories)
        for place in memories:
            held = _held(packs, place)
            # a little more than has to go, as entries differ; at least one, so that this comes to an end
            left = min(int(len(held) * 0.95 * max(1 - over / sizes, 0)), len(held) - 1)
            _put(packs, place, held, left)


def _places(packs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return where subscribers stand: (step, key), the key empty for a pack that is all of that."""
    found = []
    for name, pack in packs.items():
        if isinstance(pack, list):
            found.append((name, ""))
        elif isinstance(pack, dict):
            found += [(name, key) for key in FORGETTABLE if isinstance(pack.get(key), list | dict)]
    return found


def _held(packs: Mapping[str, Any], place: tuple[str, str]) -> Any:
    name, key = place
    return packs[name][key] if key else packs[name]


def _put(packs: dict[str, Any], place: tuple[str, str], held: Any, left: int) -> None:
    """Leave the newest `left` of what is held."""
    gone = len(held) - left
    kept = dict(list(held.items())[gone:]) if isinstance(held, dict) else held[gone:]
    name, key = place
    packs[name] = {**packs[name], key: kept} if key else kept
