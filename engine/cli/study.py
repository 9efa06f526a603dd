"""What `replay --report` does beside the replay: watch the fold, run `--against` along, write the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from engine.backtest.changes import changed_files
from engine.backtest.compare import Change, Comparison, line_of
from engine.backtest.judged import Judged
from engine.backtest.misses import Misses
from engine.backtest.page import page
from engine.backtest.prices import Prices
from engine.backtest.report import Report, build, totals
from engine.backtest.seats import Seats
from engine.cli.shelf import Shelf
from engine.cli.spool import Runs
from engine.emit import Decision
from engine.event import Event
from engine.language.model import RuleSet
from engine.pipeline import Fold
from engine.replay import Replay
from engine.rulebook import Rulebook
from engine.settings import Settings

REPORTS = ("report.json", "report.html")
LISTS = ("gains.jsonl", "losses.jsonl")
_HELD = 500_000
"""Lines of the comparison held in memory, about 120 bytes each."""


@dataclass(frozen=True, slots=True)
class Version:
    """A set of rules with its files: relative path -> text."""

    shown: str
    """The folder as it was typed."""
    rules: RuleSet
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to report."""

    prices: Prices
    version: Version
    against: Version | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The files it makes."""
        return REPORTS if self.against is None else REPORTS + LISTS


class Study:
    """One report in the making. Call order: `profile` and `feed` for every record, `end`, `write`; `close`.

    `shelf`: of the replay.
    """

    def __init__(
        self, wanted: Wanted, replay: Replay, shelf: Shelf, settings: Settings, scratch: Path
    ) -> None:
        self._wanted = wanted
        self._replay = replay
        self._first: int | None = None
        seats = Seats()
        self._judged = Judged(replay.fold.book, seats)
        replay.fold.on_judged = self._judged.note
        self._misses = Misses(replay.fold, seats)
        self._shelf = shelf
        self._other: Replay | None = None
        if wanted.against is not None:
            book = Rulebook(wanted.against.rules, settings.key_bytes)
            fold = Fold(book, settings.salt_bytes)
            self._beside = Shelf(fold, scratch, "states-before", shelf.limit)
            disorder = replay.ticks.disorder
            self._other = Replay(fold, disorder=disorder, until=replay.until, states=self._beside)
            self._before = Judged(book, Seats())
            fold.on_judged = self._before.note
            self._runs = Runs(scratch, "compare", _HELD)

    def profiles(self, events: Iterable[Event]) -> Iterator[Event]:
        """Pass profile lines on; the other version gets them too."""
        for event in events:
            if self._other is not None:
                self._other.profiles((event,))
            yield event

    def around(self, feed: Callable[[Event], None]) -> Callable[[Event], None]:
        """Return `feed` with a look before and after each record."""
        need, before, after = self._shelf.need, self._misses.before, self._misses.after
        until = self._replay.until
        other = self._other

        def fed(event: Event) -> None:
            if self._first is None and (until is None or event.t <= until):
                self._first = event.t
            need(event)  # before the replay does: it is looked at as it was
            if before(event):
                feed(event)
                after(event)
            else:
                feed(event)
            if other is not None:
                other.feed(event)
                if other.fold.decisions:
                    self._compare_old(other.take())

        return fed

    def take(self, decisions: Iterable[Decision]) -> None:
        """Look at decisions of the replay."""
        if self._other is not None:
            for decision in decisions:
                self._runs.add(line_of("new", decision))

    def _compare_old(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            self._runs.add(line_of("old", decision))

    def make_room(self) -> None:
        """Keep states of the other version out of memory, if there are too many."""
        if self._other is not None:
            self._beside.make_room()

    def close(self) -> None:
        """Let go of the files."""
        if self._other is not None:
            self._beside.close()

    def end(self) -> None:
        """End with the replay, once that is closed."""
        if self._other is not None:
            self._other.close()
            self._compare_old(self._other.take())
        self._misses.finish(self._shelf.every())

    def write(self, folder: Path, records: Mapping[str, Any], names: Mapping[str, str] | None) -> Report:
        """Write the files into a folder; return the report. `names`: subscriber key -> identity to reveal."""
        prices = self._wanted.prices
        report = build(self._judged, self._misses, prices, self._first, self._replay.fold.newest)
        report["records"] = {
            name: records[name] for name in ("read", "applied", "duplicate", "late", "refused")
        }
        report["subscribers"] = records["subscribers"]
        report["against"] = None
        against = self._wanted.against
        if against is not None:
            report["against"] = {
                "folder": against.shown,
                **self._compared(folder, against, names),
                "totals_before": totals(self._before, prices),
                "changes": changed_files(self._wanted.version.texts, against.texts),
            }
        text = orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (folder / "report.json").write_bytes(text)
        (folder / "report.html").write_text(page(report), encoding="utf-8")
        return report

    def _compared(self, folder: Path, against: Version, names: Mapping[str, str] | None) -> dict[str, Any]:
        comparison = Comparison(self._wanted.version.rules, against.rules)
        with ExitStack() as stack:
            lines = stack.enter_context(self._runs.sorted())
            out = {
                way: stack.enter_context((folder / name).open("wb"))
                for way, name in zip(("gain", "lose"), LISTS, strict=True)
            }

            def write(way: str, change: Change) -> None:
                if names is not None:
                    change = {**change, "subscriber": names.get(change["subscriber_key"])}
                out[way].write(orjson.dumps(change, option=orjson.OPT_APPEND_NEWLINE))

            comparison.run(lines, write)
        return comparison.to_json()
