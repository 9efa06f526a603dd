"""What a lane does with a batch, without log and store: each stage timed by itself (CPU seconds)."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import process_time

import orjson

from engine.app import DISORDER
from engine.codec import encode
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.language.model import RuleSet
from engine.outbox import name_of
from engine.pipeline import Fold
from engine.rulebook import Rulebook
from engine.ticks import TickMaker

KEY, SALT, HOME_CC = b"touchpoint-demo-key", b"touchpoint-demo-salt", "86"
STAGES = ("intake", "ticks", "fold", "encode", "lines")
"""In the order a batch goes through them; `lines`: decisions as JSON."""


EVERY = 100
"""Of refusals that may be sampled one in so many is written: setting TOUCHPOINT_REFUSALS_EVERY."""


def sampled(count: int) -> bool:
    """Write the next refusal by `valid` or a line of `who`? `count`: those before it."""
    return count % EVERY == 0


class Course:
    """An engine that has read its profiles and committed them, ready for the first record."""

    def __init__(self, rules: RuleSet, profiles: Sequence[bytes], *, sample: bool) -> None:
        keep = sampled if sample else None
        self.fold = Fold(Rulebook(rules, KEY), SALT, keep_refusal=keep)
        self.intake = Intake(Identity(KEY, HOME_CC))
        self.ticks = TickMaker(DISORDER)
        self.seconds = dict.fromkeys(STAGES, 0.0)
        """Stage -> CPU seconds."""
        self.records = 0
        self.kinds: Counter[str] = Counter()
        self.encodes = 0
        self.lines = 0
        """Decision lines written."""
        for line in profiles:
            event = self.intake.profile_line(line, "bench", "profiles")
            if event is not None:
                self.fold.apply(event)
        self._encode()
        self.fold.decisions = []

    @property
    def total(self) -> float:
        """CPU seconds of all stages."""
        return sum(self.seconds.values())

    @property
    def decisions(self) -> int:
        """Decisions made, sampled away or not."""
        return sum(self.fold.counts.values())

    @property
    def instants(self) -> int:
        """Instants on which a rule fired: decisions without the second lines, at the end of a hold."""
        held = sum(count for (_, fate), count in self.fold.counts.items() if fate == "held")
        return self.decisions - held + sum(len(sub.holds) for sub in self.fold.subscribers.values())

    def batch(self, lines: Sequence[bytes]) -> None:
        """Take one batch all the way."""
        began = process_time()
        events = self._read(lines)
        read = process_time()
        ordered = self._with_ticks(events)
        ticked = process_time()
        self._apply(ordered)
        folded = process_time()
        states = self._encode()
        encoded = process_time()
        decisions, self.fold.decisions = self.fold.decisions, []
        out = {name_of(decision): orjson.dumps(decision) for decision in decisions}
        written = process_time()
        marks = (began, read, ticked, folded, encoded, written)
        for stage, start, end in zip(STAGES, marks, marks[1:], strict=False):
            self.seconds[stage] += end - start
        self.records += len(lines)
        self.kinds.update(event.kind for event in events)
        self.encodes += len(states)
        self.lines += len(out)

    def _read(self, lines: Sequence[bytes]) -> list[Event]:
        events: list[Event] = []
        read = self.intake.read
        for line in lines:
            events += read(line, "bench", "0:0")
        return events

    def _with_ticks(self, events: list[Event]) -> list[Event]:
        ordered: list[Event] = []
        add, after = ordered.append, self.ticks.after
        for event in events:
            add(event)
            tick = after(event)
            if tick is not None:
                add(tick)
        return ordered

    def _apply(self, events: list[Event]) -> None:
        apply = self.fold.apply
        for event in events:
            apply(event)

    def _encode(self) -> dict[str, bytes]:
        touched, self.fold.touched = self.fold.touched, {}
        return {key: encode(sub) for key, sub in touched.items()}


class Collections:
    """CPU seconds of the garbage collector while it is watched: part of the stages it interrupts."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0

    def _note(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._began = process_time()
        else:
            self.seconds += process_time() - self._began

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch while the block runs."""
        gc.callbacks.append(self._note)
        try:
            yield
        finally:
            gc.callbacks.remove(self._note)
