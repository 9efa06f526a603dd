"""Several feeds, one total order (semantics.md 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heapreplace

from engine.event import Event


def merge(feeds: Sequence[Iterator[Event]]) -> Iterator[Event]:
    """Yield the events of all feeds: of the events at their heads always the one with the least `t`.

    Of equal times the feed that comes first in `feeds` goes first. Within a feed its order stands, however
    its times jump: an event behind a later one waits for it.
    """
    heads = []
    for order, feed in enumerate(feeds):
        first = next(feed, None)
        if first is not None:
            heads.append((first.t, order, first))
    heapify(heads)
    while heads:
        _, order, event = heads[0]
        yield event
        following = next(feeds[order], None)
        if following is None:
            heappop(heads)
        else:
            heapreplace(heads, (following.t, order, following))
