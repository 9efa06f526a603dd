"""What belongs to a lane and to no subscriber: rules, feeds, counts, kept beside the offset; dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson

from engine.feeds import Feeds
from engine.pipeline import Fold
from engine.refusals import Refusal, dead_letter


def pack_lane(fold: Fold, **more: Any) -> bytes:
    """Write what belongs to the lane and to no subscriber."""
    return orjson.dumps(
        {
            "rules": fold.book.hash,
            "feeds": fold.feeds.pack(),
            "switched_at": fold.switched_at,
            "newest": fold.newest,
            "outcomes": fold.outcomes,
            "counts": [(*key, count) for key, count in fold.counts.items()],
            "warming": fold.warming,
            "kept_since": fold.kept_since,
            **more,
        }
    )


def unpack_lane(fold: Fold, lane: dict[str, Any]) -> None:
    """Restore what `pack_lane` wrote."""
    fold.feeds = Feeds.unpack(lane["feeds"])
    fold.switched_at = lane["switched_at"]
    fold.newest = lane["newest"]
    fold.outcomes = Counter(lane["outcomes"])
    fold.counts = Counter({(rule, fate): n for rule, fate, n in lane["counts"]})
    fold.warming = lane["warming"]
    fold.kept_since = lane["kept_since"]


def letters(refusals: Iterable[Refusal], rules_hash: str, failed_at: int) -> list[bytes]:
    """Write the dead letters of log records that could not be read; their position is `PARTITION:OFFSET`."""
    found = []
    for refusal in refusals:
        partition, _, offset = refusal.position.partition("#")[0].partition(":")
        origin: dict[str, str | int] = {
            "topic": "events",
            "partition": int(partition),
            "offset": int(offset),
            "rules_hash": rules_hash,
        }
        found.append(dead_letter(refusal, "engine", failed_at, origin))
    return found
