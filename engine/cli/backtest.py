"""One replay into a folder: `decisions.jsonl`, `summary.json`, `deadletters.jsonl`.

The same input, rules and settings give the same bytes. Files appear under their names only when the run is
complete: a run that is stopped leaves those of the run before it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import orjson

from connectors.column_map import ColumnMap
from engine.cli.console import Advance, make_folder, unwritable
from engine.cli.inputs import Feed
from engine.cli.lateness import Lateness
from engine.cli.spool import Spool
from engine.event import Event
from engine.language.model import RuleSet
from engine.pipeline import Fold
from engine.refusals import Refusal, shown_name
from engine.replay import Replay
from engine.rulebook import Rulebook
from engine.settings import Settings

FILES = ("decisions.jsonl", "summary.json", "deadletters.jsonl")
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

    def run(self, out: Path, advance: Advance) -> Summary:
        """Replay into the folder `out`, made if missing; return what `summary.json` holds.

        Raises InputError: a file can't be read or written.
        """
        make_folder(out)
        try:
            with TemporaryDirectory(prefix=".replay-", dir=out) as scratch:
                part = Path(scratch)
                with (part / "deadletters.jsonl").open("wb") as dead:
                    spool, summary = self._fold(part, dead, advance)
                spool.write(part / "decisions.jsonl")
                text = orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
                (part / "summary.json").write_bytes(text)
                for name in FILES:
                    os.replace(part / name, out / name)
        except OSError as error:
            raise unwritable(out, "a folder", error) from None
        return summary

    def _fold(self, folder: Path, dead: IO[bytes], advance: Advance) -> tuple[Spool, Summary]:
        def bury(refusal: Refusal) -> None:
            dead.write(orjson.dumps(refusal.as_dict(), option=orjson.OPT_APPEND_NEWLINE))

        feed = Feed(self.settings, self.columns, bury, named=self.reveal)
        spool = Spool(folder, feed.names() if self.reveal else None)
        book = Rulebook(self.rules, self.settings.key_bytes)
        fold = Fold(book, self.settings.salt_bytes)
        replay = Replay(fold, disorder=self.disorder, until=self.until)
        refused = feed.intake.refused

        lines = Counted(feed.profiles(self.profiles))
        replay.profiles(lines)
        unfit = Counter(refused)
        refused.clear()

        lateness = Lateness(replay)
        for count, event in enumerate(feed.events(self.events)):
            lateness.feed(event)
            if fold.decisions:
                spool.add(replay.take())
            if not count % _EVERY:
                done = count + sum(refused.values())
                advance(done, f"{done:,} records, {sum(fold.counts.values()):,} decisions")
        replay.close()
        spool.add(replay.take())

        summary = replay.summary(refused)
        summary |= totals(fold.counts)
        summary["lateness"] = lateness.summary()
        summary["profiles"] = {
            "read": lines.count + sum(unfit.values()),
            "applied": lines.count,
            "refused": sum(unfit.values()),
            "refused_by": dict(sorted(unfit.items())),
        }
        summary["subscribers"] = len(fold.subscribers)
        summary["rules_hash"] = book.hash
        summary["disorder"] = self.disorder
        summary["until"] = self.until
        summary["files"] = [shown_name(file.name, feed.identity.key) for file in self.events]
        return spool, summary


class Counted:
    """Events, and how many they were."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = events
        self.count = 0

    def __iter__(self) -> Iterator[Event]:
        for event in self._events:
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
