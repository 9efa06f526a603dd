"""What a lane keeps beside its subscribers: rules, feeds, counts; its dead letters; whom it lets go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from engine.errors import LogError
from engine.expiry import expires
from engine.feeds import Feeds
from engine.pipeline import Fold
from engine.refusals import Refusal, dead_letter
from engine.snapshot import Subscriber
from engine.switching import enforce, unpack

MADE_ANEW = 'docs/operations.md, "A log made anew"'
NOTE_AT_MOST = 4_000
"""Characters of a mark's note (`engine.ports.Mark`)."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a fold counts, at one moment or between two."""

    outcomes: Counter[str]
    decisions: Counter[tuple[str, str]]
    optouts: Counter[str]
    presence: Counter[str]

    @classmethod
    def of(cls, fold: Fold) -> Counted:
        """Return the counters as they are now."""
        return cls(fold.outcomes.copy(), fold.counts.copy(), fold.optouts.copy(), fold.presence.copy())

    def since(self, before: Counted) -> Counted:
        """Return what came to them since."""
        return Counted(
            self.outcomes - before.outcomes,
            self.decisions - before.decisions,
            self.optouts - before.optouts,
            self.presence - before.presence,
        )


def pack_lane(fold: Fold, **more: Any) -> bytes:
    """Write what belongs to the lane and to no subscriber."""
    return orjson.dumps(
        {
            "rules": fold.base.hash,
            **_pack_canary(fold),
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


def same_log(lane: dict[str, Any], partition: int, found: str) -> str:
    """Return the identity of the log that a lane's offsets count in; empty if nobody knows it.

    Raise `LogError` if that is not the log that was found: its offsets mean nothing there. Once the new log
    has as many records, a lane would go on in its middle, and nothing would tell.
    """
    known: str = lane.get("log", "")
    if known and found and known != found:
        raise LogError(
            f"partition {partition}: expected the log that its state counts in ({known}), "
            f"was another one ({found}): {MADE_ANEW}"
        )
    return found or known


def unpack_lane(fold: Fold, lane: dict[str, Any]) -> None:
    """Restore what `pack_lane` wrote."""
    fold.feeds = Feeds.unpack(lane["feeds"])
    fold.switched_at = lane["switched_at"]
    fold.newest = lane["newest"]
    fold.outcomes = Counter(lane["outcomes"])
    fold.counts = Counter({(rule, fate): n for rule, fate, n in lane["counts"]})
    fold.warming = lane["warming"]
    fold.kept_since = lane["kept_since"]
    fold.due_canary = lane.get("due_canary")
    if "canary" in lane:
        enforce(fold, fold.base, unpack(fold, lane["canary"]))


def _pack_canary(fold: Fold) -> dict[str, Any]:
    found: dict[str, Any] = {"canary": fold.canary.pack()} if fold.canary is not None else {}
    return found if fold.due_canary is None else {**found, "due_canary": fold.due_canary}


def note_of(fold: Fold) -> str:
    """Write what a rebuild wants to know of the lane at a mark; without what is wide if it is too long."""
    note = {"rules": fold.base.hash, "watermark": fold.feeds.watermark, "switched_at": fold.switched_at}
    note |= _pack_canary(fold)
    text = orjson.dumps({**note, "warming": fold.warming, "kept_since": fold.kept_since})
    return (text if len(text) <= NOTE_AT_MOST else orjson.dumps(note)).decode()


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


def _may_go(fold: Fold, sub: Subscriber) -> bool:
    """Say whether a state in which nothing counts may be let go: where a canary put them stays known."""
    canary = fold.canary
    return canary is None or canary.share is not None or fold.side(sub) is not canary.book


def let_go(fold: Fold, waking: Iterable[str]) -> None:
    """Look after those whose wake-up came: let go of the states in which nothing counts any more."""
    watermark = fold.feeds.watermark
    for key in waking:
        sub = fold.subscribers.get(key)
        if sub is None:
            continue
        if sub.rules != fold.settled and not (fold.canary and fold.canary.has_asked(sub)):
            fold.subscriber(key)
        if not sub.wake and _may_go(fold, sub) and expires(sub, fold.side(sub)) < watermark:
            del fold.subscribers[key]
            fold.touched.pop(key, None)
            fold.gone.add(key)
        elif sub.filed <= watermark or not sub.filed:
            # it was filed for a timer that was taken back, or for an expiry that has moved
            sub.filed = 0
            fold.touched[key] = sub
