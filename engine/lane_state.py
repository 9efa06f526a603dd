"""What belongs to a lane and to no subscriber: rules, feeds, counts; kept beside the offset."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson

from engine.feeds import Feeds
from engine.pipeline import Fold


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
