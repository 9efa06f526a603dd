"""Made-up profiles for the subscribers of a real feed, of whom nothing but an opaque id is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from engine.language.model import Catalog

from .profiles import profile_of_id


def profiles_for(subscriber_ids: Iterable[str], seed: int, catalog: Catalog) -> Iterator[dict[str, Any]]:
    """Yield one profile line per id, in the order in which ids first come; repeats are left out.

    A line depends on `seed`, the id and the catalogue only. Memory: the set of ids seen.
    """
    seen: set[str] = set()
    for subscriber in subscriber_ids:
        if subscriber not in seen:
            seen.add(subscriber)
            yield profile_of_id(subscriber, seed, catalog)
