"""Refused records once more through intake, and into the log if they are taken now.

A record comes late by now: the engine drops signaling more than an hour behind its subscriber's clock, and
business records more than 48 hours (semantics.md 1.5).
"""

from __future__ import annotations

from collections.abc import Callable

from engine.admission import AHEAD_AT_MOST, clamped
from engine.care.letters import Home, Letter
from engine.collect import VALUE_AT_MOST, spread
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Refusal

TakeRow = Callable[[int, bytes, str], Event | None]
"""(line number, line, position) -> its record; None for a header, or after a refusal."""


class Requeue:
    """Turns records of letters into records of the log.

    `wall`: µs now; `rows`: what reads rows of delimited files, given the intake; None: files are JSON lines.
    """

    def __init__(
        self,
        identity: Identity,
        partitions: int,
        wall: Callable[[], int],
        rows: Callable[[Intake], TakeRow] | None = None,
    ) -> None:
        self._refusals: list[Refusal] = []
        self._intake = Intake(identity, on_refused=self._refusals.append)
        self._take_row = rows(self._intake) if rows is not None else None
        self._partitions = partitions
        self._wall = wall

    def take(self, letter: Letter, home: Home, raw: bytes) -> list[tuple[int, bytes]] | str:
        """Return (partition, value) pairs for the log, or in words why the record is not taken.

        In the log it stands in the log's own shape already; all else is as a feed brings it.
        """
        source, position = letter.fields["source"], letter.fields["position"]
        self._refusals.clear()
        if home.door == "file" and self._take_row is not None:
            row = self._take_row(home.offset, raw, position)
            events = [] if row is None else [row]
        else:
            read = self._intake.read_log if home.door == "log" else self._intake.read
            events = read(raw, source, position)
        if self._refusals:
            return f"refused again: {self._refusals[0].detail}"
        pairs: list[tuple[int, bytes]] = []
        for event in events:
            taken = self._finish(event)
            if isinstance(taken, str):
                return taken
            pairs += taken
        return pairs or "there is no record in it"

    def _finish(self, event: Event) -> list[tuple[int, bytes]] | str:
        if not event.key:
            return f"a {event.kind} belongs to its place in the log"
        now = self._wall()
        if event.t - now > AHEAD_AT_MOST:
            return "refused again: t: expected at most 1 h ahead of the clock, was later"
        pairs = spread(clamped(event, now) if event.t > now else event, self._partitions)
        if len(pairs[0][1]) > VALUE_AT_MOST:
            return f"refused again: expected at most {VALUE_AT_MOST} bytes in the log, was more"
        return pairs
