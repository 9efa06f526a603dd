"""What the log of a role says when something changes: its checks, the rules of its lanes, rebuilds.

Nothing here is said per record. Whoever looks after the roles calls `look` about once a second; what changed
and changed back in between is not seen, but for rebuilds.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from engine.lane import Lane
from engine.log_pace import LogPace

SAME_AFTER: Final = 60.0
"""Seconds until a check that fails is logged again, if its sentence is another one by then: it may count."""

log = structlog.get_logger("news")


@dataclass(slots=True)
class _Told:
    """What was logged last about a check."""

    sentence: str = ""
    at: float = 0.0
    since: float = 0.0
    """When it began to fail."""
    untold: int = 0
    """Changes that were too many to be logged."""


class CheckLog:
    """Logs when a check of a page begins to fail, and when it is well again.

    Each change is one line at most, and a check that flaps gets a few (`engine.log_pace`); what it came to in
    the end is said in any case, late, with the number of changes left out. `clock`: seconds that only go up.
    """

    def __init__(self, page: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._page = page
        self._clock = clock
        self._pace = LogPace(clock)
        self._told: defaultdict[str, _Told] = defaultdict(_Told)
        self._seen: dict[str, bool] = {}
        """Check -> whether it failed at the last look."""

    def look(self, checks: Mapping[str, str]) -> None:
        """Take what the checks say now: "" if all is well, else a sentence."""
        for name, sentence in checks.items():
            fails = bool(sentence)
            told = self._told[name]
            told.untold += fails != self._seen.get(name, False)
            self._seen[name] = fails
            if self._is_news(told, sentence) and self._pace.allows(name):
                self._tell(name, told, sentence)

    def _is_news(self, told: _Told, sentence: str) -> bool:
        if bool(sentence) != bool(told.sentence):
            return True
        return sentence != told.sentence and self._clock() - told.at >= SAME_AFTER

    def _tell(self, name: str, told: _Told, sentence: str) -> None:
        now = self._clock()
        left_out = {"count": told.untold - 1} if told.untold > 1 else {}
        if sentence:
            if not told.sentence:
                told.since = now
            log.warning("check fails", page=self._page, check=name, problem=sentence, **left_out)
        else:
            seconds = round(now - told.since, 1)
            log.info("check holds again", page=self._page, check=name, seconds=seconds, **left_out)
        told.sentence, told.at, told.untold = sentence, now, 0


class LaneLog:
    """Logs which rules are in force in the lanes of a process, and rebuilds. `none`: the hash of no rules."""

    def __init__(self, none: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._none = none
        self._clock = clock
        self._pace = LogPace(clock)
        self._hashes: dict[int, tuple[str, str, str]] = {}
        self._building: dict[int, float] = {}
        """Partition -> since when it is being rebuilt."""

    def look(self, lanes: Mapping[int, Lane]) -> None:
        """Take the lanes of now; before `Lane.rebuilt` is set back."""
        for known in (self._hashes, self._building):
            for partition in known.keys() - lanes.keys():
                del known[partition]
        switched: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
        for partition, lane in sorted(lanes.items()):
            self._look_at_rebuild(partition, lane)
            if lane.fold is None:
                continue
            canary = lane.fold.canary
            told = (
                lane.fold.base.hash,
                canary.spec if canary is not None else "",
                canary.book.hash if canary else "",
            )
            if self._hashes.get(partition) != told:
                self._hashes[partition] = told
                switched[told].append(partition)
        for (name, spec, other), partitions in switched.items():
            if other:
                log.info("a canary in force", hash=other, canary=spec, partitions=partitions)
            if name == self._none and not other:
                log.warning("no rules in force", partitions=partitions)
            else:
                log.info("rules in force", hash=name, partitions=partitions)

    def _look_at_rebuild(self, partition: int, lane: Lane) -> None:
        muted = lane.fold is not None and lane.fold.muted
        if (lane.rebuilt or (muted and partition not in self._building)) and self._pace.allows(partition):
            # also one that another process began
            self._building[partition] = self._clock()
            log.warning("rebuild begun", partition=partition, since=lane.offset)
        if partition in self._building and lane.ready:
            seconds = self._clock() - self._building.pop(partition)
            log.info("rebuild ended", partition=partition, seconds=round(seconds, 1), offset=lane.offset)
