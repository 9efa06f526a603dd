"""One replay into a folder: `decisions.jsonl`, `summary.json`, `deadletters.jsonl`, and the report if wanted.

The same input, rules and settings give the same bytes. Files appear under their names only when the run is
complete: a run that is stopped leaves those of the run before it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import orjson

from connectors.column_map import ColumnMap
from engine.backtest.report import Report
from engine.cli.console import Advance, make_folder, note, unwritable
from engine.cli.inputs import Feed
from engine.cli.lateness import Lateness
from engine.cli.shelf import Shelf
from engine.cli.spool import Spool
from engine.cli.study import LISTS, REPORTS, Study, Wanted
from engine.event import Event
from engine.language.model import RuleSet
from engine.number_classes import asked_for
from engine.pipeline import Fold
from engine.refusals import Refusal, shown_name
from engine.replay import Replay
from engine.rulebook import Rulebook
from engine.settings import Settings

FILES = ("decisions.jsonl", "summary.json", "deadletters.jsonl")
_ROOM_EVERY = 1_000
"""Records between two looks at how many states are in memory."""
_EVERY = 5_000
"""Records between two looks at the progress bar."""

Summary = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Backtest:
    """What to replay. `disorder`: µs; `until`: µs UTC or None."""

    rules: RuleSet
    settings: Settings
    events: Sequence[Path]
    profiles: Sequence[Path]
    columns: ColumnMap | None
    disorder: int
    until: int | None
    reveal: bool
    wanted: Wanted | None = None
    """The report to make; None: none."""

    def run(self, out: Path, advance: Advance) -> tuple[Summary, Report | None]:
        """Replay into the folder `out`, made if missing; return what `summary.json` and `report.json` hold.

        Files of a report that is not wanted now are removed: they would be of other decisions.

        Raises InputError: a file can't be read or written.
        """
        make_folder(out)
        try:
            with TemporaryDirectory(prefix=".replay-", dir=out) as scratch:
                part = Path(scratch)
                with (part / "deadletters.jsonl").open("wb") as dead:
                    spool, summary, report = self._fold(part, dead, advance)
                spool.write(part / "decisions.jsonl")
                text = orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
                (part / "summary.json").write_bytes(text)
                made = FILES + (self.wanted.files if self.wanted is not None else ())
                for name in made:
                    os.replace(part / name, out / name)
                for name in {*REPORTS, *LISTS}.difference(made):
                    (out / name).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(out, "a folder", error) from None
        return summary, report

    def _fold(self, folder: Path, dead: IO[bytes], advance: Advance) -> tuple[Spool, Summary, Report | None]:
        def bury(refusal: Refusal) -> None:
            dead.write(orjson.dumps(refusal.as_dict(), option=orjson.OPT_APPEND_NEWLINE))

        classes = asked_for(self.rules, self.settings.home_cc)
        feed = Feed(self.settings, self.columns, bury, named=self.reveal, classes=classes)
        spool = Spool(folder, feed.names() if self.reveal else None)
        book = Rulebook(self.rules, self.settings.key_bytes)
        fold = Fold(book, self.settings.salt_bytes)
        # with another set beside it, each has half of the room
        room = self.settings.cache_subscribers
        if self.wanted is not None and self.wanted.against is not None:
            room = max(room // 2, 1)
        with ExitStack() as stack:
            shelf = stack.enter_context(closing(Shelf(fold, folder, "states", room)))
            replay = Replay(fold, disorder=self.disorder, until=self.until, states=shelf)
            study = None
            if self.wanted is not None:
                study = Study(self.wanted, replay, shelf, self.settings, folder)
                stack.enter_context(closing(study))
            return self._run(feed, spool, replay, shelf, study, folder, advance)

    def _run(
        self,
        feed: Feed,
        spool: Spool,
        replay: Replay,
        shelf: Shelf,
        study: Study | None,
        folder: Path,
        advance: Advance,
    ) -> tuple[Spool, Summary, Report | None]:
        fold, refused = replay.fold, feed.intake.refused

        def make_room(count: int) -> None:
            if not count % _ROOM_EVERY:
                shelf.make_room()
                if study is not None:
                    study.make_room()

        lines = Counted(feed.profiles(self.profiles), make_room)
        replay.profiles(lines if study is None else study.profiles(lines))
        unfit = Counter(refused)
        refused.clear()

        lateness = Lateness(replay)
        apply = lateness.feed if study is None else study.around(lateness.feed)
        for count, event in enumerate(feed.events(self.events)):
            apply(event)
            if fold.decisions:
                made = replay.take()
                spool.add(made)
                if study is not None:
                    study.take(made)
            make_room(count)
            if not count % _EVERY:
                done = count + sum(refused.values())
                advance(done, f"{done:,} records, {sum(fold.counts.values()):,} decisions")
        replay.close()
        subscribers = len(shelf)
        made = replay.take()
        spool.add(made)
        if study is not None:
            study.take(made)
            study.end()
        if passed := fold.outcomes["unknown rules"]:
            note(f"{passed} switches of rules in the events were passed over: all is by the rules of --rules")

        summary = replay.summary(refused)
        summary |= totals(fold.counts)
        summary["lateness"] = lateness.summary()
        summary["profiles"] = {
            "read": lines.count + sum(unfit.values()),
            "applied": lines.count,
            "refused": sum(unfit.values()),
            "refused_by": dict(sorted(unfit.items())),
        }
        summary["subscribers"] = subscribers
        summary["rules_hash"] = fold.base.hash
        summary["disorder"] = self.disorder
        summary["until"] = self.until
        summary["files"] = [shown_name(file.name, feed.identity.key) for file in self.events]
        report = None
        if study is not None:
            report = study.write(folder, summary, feed.names() if self.reveal else None)
        return spool, summary, report


class Counted:
    """Events, and how many they were; `told` of each number before the event."""

    def __init__(self, events: Iterable[Event], told: Callable[[int], None]) -> None:
        self._events = events
        self._told = told
        self.count = 0

    def __iter__(self) -> Iterator[Event]:
        for event in self._events:
            self._told(self.count)
            self.count += 1
            yield event


def totals(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Return decisions over all rules: by outcome, and refusals by reason."""
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for (_, fate), count in counts.items():
        outcome, _, reason = fate.partition(":")
        outcomes[outcome] += count
        if reason:
            reasons[reason] += count
    return {
        "decisions_by_outcome": dict(sorted(outcomes.items())),
        "decisions_by_reason": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
    }


def is_balanced(summary: Summary) -> bool:
    """Say whether every record read has exactly one fate: applied, duplicate, late or refused."""
    fates = summary["applied"] + summary["duplicate"] + summary["late"] + summary["refused"]
    return bool(summary["read"] == fates and summary["refused"] == sum(summary["refused_by"].values()))
