"""What the naive reference model decides on a log as it stands: no code of the engine, no code of a lane.

The model takes the records of each partition in the order of its offsets. A log names subscribers by their
keys, and has its ticks in it; a subscriber is given the ticks since its last record as one, the greatest:
nothing can come between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from tests.differential.compare import FIELDS
from tests.faults.tail import Read
from tests.reference.intake import Identities
from tests.reference.model import Model, Subscriber

Json = dict[str, Any]
Line = tuple[Any, ...]
"""What both sides say of a decision, in the order of FIELDS."""


_KEY = re.compile("[0-9a-f]{32}")


class _Keyed(Identities):
    """Records of the log say whose they are by the key."""

    def subscriber_key(self, record: Json) -> str | None:
        """Return the key, if the record has one."""
        key = record.get("subscriber_key")
        return key if isinstance(key, str) and _KEY.fullmatch(key) else None


class _Partition(Model):
    """One partition, in the order of its offsets."""

    def __init__(self, case: Json) -> None:
        super().__init__({**case, "disorder": 1 << 62, "until": None})
        self.identities = _Keyed(case["key"])
        self.last = -1
        """The greatest tick so far."""
        self._had: dict[str, int] = {}
        """Subscriber key -> the last tick that it was given, or that was before it."""

    def tick(self, t: int) -> None:
        """Keep it for those whom it concerns."""
        self.last = max(self.last, t)
        self.house.clock = self.last

    def derive_tick(self, t: int) -> None:
        """Derive none: a log has its ticks in it."""

    def subscriber(self, record: Json) -> Subscriber:
        """Return whose a record is, brought up to the last tick."""
        found = super().subscriber(record)
        self._bring(record["subscriber_key"], found)
        return found

    def _bring(self, key: str, subscriber: Subscriber) -> None:
        if self.last > self._had.setdefault(key, self.last):
            self._had[key] = self.last
            subscriber.tick(self.last)

    def close(self) -> None:
        """Bring all up to the last tick."""
        for key, subscriber in self.subscribers.items():
            self._bring(key, subscriber)


def decisions(log: Iterable[Read], case: Json, without: frozenset[str]) -> dict[tuple[str, int], Line]:
    """Return (id, at) -> what the reference model says, for a log in any order of partitions.

    `without`: keys of subscribers that it does not look at.
    """
    models: dict[int, _Partition] = {}
    for read in log:
        model = models.setdefault(read.partition, _Partition(case))
        try:
            records = orjson.loads(read.value)
        except orjson.JSONDecodeError:
            continue
        for record in records if isinstance(records, list) else [records]:
            if isinstance(record, dict) and record.get("subscriber_key") not in without:
                model.take(record)
    found: dict[tuple[str, int], Line] = {}
    for model in models.values():
        model.close()
        found.update({(one["id"], one["at"]): line_of(one) for one in model.result()["decisions"]})
    return found


def line_of(decision: Mapping[str, Any]) -> Line:
    """Return what both sides say of a decision."""
    return tuple(decision.get(name) for name in FIELDS)
