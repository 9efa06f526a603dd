"""A moment that suits a rule, the edges of its times, and what its gates should make of a match.

What is foreseen here is for one subscriber whom the rule takes, alone with the rule: times, quiet time and
caps in the order of the gates (semantics.md 4). Times are µs UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from engine.language.model import DAY, Cap, Message, Policy, Rule
from engine.language.testing import FieldValue
from engine.localtime import is_within, quiet_end, quiet_start, valid_span
from engine.rule_tests.runner import AFTERMATH
from engine.story.scene import SECOND

_AFTERNOON: Final = 15 * 60
"""Minute of the day that a case is best at."""
_ROOMS: Final = ((30 * 60 * SECOND, 10), (10 * 60 * SECOND, 10), (SECOND, 1), (0, 1))
"""Kept free of quiet time around it, where there is that much, µs; and the minutes from try to try."""
_DAYS_TRIED: Final = 15
_EARLIEST: Final = datetime(2000, 1, 4, tzinfo=UTC)
_LATEST: Final = datetime(2099, 12, 28, tzinfo=UTC)
"""Test files know the years 2000 to 2099, and scenes begin up to 48 h before a match."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What should come of the matches of a case: offers at these times, or nothing because of `because`."""

    offers: tuple[int, ...]
    because: str = ""
    """Of the last match without an offer."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The times of one rule under its policy."""

    rule: Rule
    policy: Policy

    @property
    def zone(self) -> str:
        """The zone by whose wall clock cases are told: the policy's."""
        return self.policy.timezone

    @property
    def quiet(self) -> tuple[tuple[int, int], ...]:
        """Quiet time of policy and rule together."""
        return (*self.policy.quiet, *self.rule.limits.quiet)

    def span(self) -> tuple[int, int]:
        """[first, last) moment of validity."""
        return valid_span(*self.rule.valid, self.zone)

    def is_on(self, t: int) -> bool:
        """Say whether the rule may match at a moment: its schedule, if it has one."""
        schedule = self.rule.schedule
        return schedule is None or is_within(t, self.zone, schedule.days, schedule.hours)

    def moment(self, message: Message) -> int | None:
        """Return a moment at which a match is offered at once, best on a weekday afternoon; None if never."""
        return self._best(lambda t: self.is_open(t) and (self._end(t, message) == t))

    def held_moment(self, message: Message) -> int | None:
        """Return a moment at which a match is held and offered at the end of quiet time; None if never."""
        return self._best(lambda t: self.is_open(t) and not self._gates(t, message, None, [])[1])

    def ever_open(self) -> bool:
        """Say whether the rule's dates and schedule have any moment in common."""
        return self._best(self.is_open) is not None

    def is_open(self, t: int) -> bool:
        """Say whether a moment is in the rule's dates and in its schedule."""
        first, last = self.span()
        return first <= t < last and self.is_on(t)

    def is_quiet(self, t: int) -> bool:
        """Say whether a moment lies in quiet time."""
        return quiet_end(t, self.zone, self.quiet) != t

    def is_ever_quiet(self) -> bool:
        """Say whether the schedule has a moment of quiet time on any day of the week."""
        monday = self._micros(date(2026, 1, 5), 0)
        minutes = (monday + n * 60 * SECOND for n in range(7 * 24 * 60))
        return any(self.is_on(each) and self.is_quiet(each) for each in minutes)

    def _best(self, suits: Callable[[int], bool]) -> int | None:
        """Return the best moment that suits, with as much room around it as there is."""
        for room, step in _ROOMS:
            minutes = sorted(range(0, 1_440, step), key=lambda each: abs(each - _AFTERNOON))
            for day in self._days():
                for minute in minutes:
                    t = self._micros(day, minute)
                    if all(suits(t + by) for by in (0, -room, room)):
                        return t
        return None

    def _end(self, t: int, message: Message) -> int:
        """Return when a message of this moment is sent: quiet time never holds a task (semantics.md 4.3)."""
        return t if message.channel == "manual" else quiet_end(t, self.zone, self.quiet)

    def _days(self) -> Iterator[date]:
        """Yield days of validity, the first weekday with two days of validity before it first."""
        first, last = self.rule.valid
        last = min(last, first + timedelta(days=_DAYS_TRIED))
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        usable = [day for day in days if _EARLIEST.date() < day < _LATEST.date()]
        yield from sorted(usable, key=lambda day: ((day - first).days < 2, day.weekday() > 4, day))

    def _micros(self, day: date, minute: int) -> int:
        local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=ZoneInfo(self.zone))
        return round(local.timestamp()) * SECOND

    def second_of_day(self, t: int) -> int:
        """Return the second of the day of a moment, by the wall clock."""
        local = datetime.fromtimestamp(t // SECOND, ZoneInfo(self.zone))
        return local.hour * 3_600 + local.minute * 60 + local.second

    def quiet_times(self, after: int) -> Iterator[tuple[int, int]]:
        """Yield (start, end) of the quiet times that begin in the day after a moment.

        If that is within one, then in the day from the end of the one before it: its own is among them.
        """
        now = quiet_end(after - DAY, self.zone, self.quiet) if self.is_quiet(after) else after
        until = now + DAY
        while True:
            start = quiet_start(now, self.zone, self.quiet, until)
            if start >= until:
                return
            end = quiet_end(start, self.zone, self.quiet)
            if end - start > DAY:
                return  # it never ends
            yield start, end
            now = end

    def hours_edges(self, t: int) -> list[tuple[int, bool]]:
        """Return the moments at which the schedule goes on or off by its hours, and whether it goes on.

        Each start and end of a part of the day once: the first in the days after `t`, if the rule's dates
        have it, else the last before.
        """
        schedule = self.rule.schedule
        if schedule is None:
            return []
        minutes = sorted({0, *(minute % 1_440 for part in schedule.hours for minute in part)})
        local = datetime.fromtimestamp(t // SECOND, ZoneInfo(self.zone)).date()
        found: dict[tuple[int, bool], int] = {}
        first, last = self.span()
        moments = (
            (self._micros(local + timedelta(days=day), minute), minute)
            for day in range(-8, 9)
            for minute in minutes
        )
        for at, minute in sorted(
            moments, key=lambda each: (not first < each[0] < last, each[0] <= t, abs(each[0] - t))
        ):
            on = self.is_on(at)
            if on != self.is_on(at - SECOND):
                found.setdefault((minute, on), at)
        return sorted((at, on) for (_, on), at in found.items())

    def nearest_on(self, t: int, forward: bool) -> int | None:
        """Return `t`, or the nearest moment whole minutes away that the schedule has; None: no such."""
        minute = 60 * SECOND if forward else -60 * SECOND
        moments = (t + n * minute for n in range(8 * 24 * 60))
        return next((each for each in moments if self.is_on(each)), None)

    def nearest_open(self, t: int, message: Message) -> int | None:
        """Return `t`, or the first moment whole minutes later at which a message would go out at once."""
        moments = (t + n * 60 * SECOND for n in range(8 * 24 * 60))
        return next((each for each in moments if self.is_on(each) and self._end(each, message) == each), None)

    def other_day(self, t: int) -> int | None:
        """Return the time of day of `t` on the next day that the schedule leaves out; None if it has none."""
        schedule = self.rule.schedule
        later = [t + n * DAY for n in range(1, 8)]
        if schedule is None:
            return None
        return next((each for each in later if not is_within(each, self.zone, schedule.days, ())), None)

    def in_tests(self, t: int) -> bool:
        """Say whether a test file can tell of a moment and the two days before it."""
        return _EARLIEST.timestamp() * SECOND <= t <= _LATEST.timestamp() * SECOND

    # -- what the gates should make of matches -------------------------------------------------------

    def foresee(
        self, matches: Sequence[int], message: Message, tier: FieldValue, last_record: int
    ) -> Foreseen:
        """Say what comes of matches at these moments; each hold is over before the next match."""
        offers: list[int] = []
        because = "when"
        for t in matches:
            if not self.is_on(t):
                continue
            at, because = self._gates(t, message, tier, offers)
            if at > last_record + AFTERMATH:
                because = "held"
            elif not because:
                offers.append(at)
        return Foreseen(tuple(offers), because)

    def _gates(self, t: int, message: Message, tier: FieldValue, offers: list[int]) -> tuple[int, str]:
        """Return when a match is settled, at a hold's end if held, and the reason if that is no offer."""
        first, last = self.span()
        if not first <= t < last:
            return t, "valid"
        refused = self.refused_by(t, message, tier, offers)
        if refused:
            return t, refused
        end = self._end(t, message)
        if end > t + self.rule.limits.send_within:
            return t, "send_within"
        return end, "" if end < last else "valid"

    def refused_by(self, t: int, message: Message, tier: FieldValue, offers: Sequence[int]) -> str:
        """Return the cap that keeps a match from an offer, given the offers before; empty if none does."""
        return next((reason for reason, cap in self.caps(message, tier) if _full(cap, t, offers)), "")

    def free_again(self, message: Message, tier: FieldValue, offers: Sequence[int]) -> int:
        """Return the first moment after these offers at which no cap refuses."""
        t = max(offers)
        while True:
            full = [cap for _, cap in self.caps(message, tier) if _full(cap, t, offers)]
            if not full:
                return t
            t = max(sorted(offers)[-cap.count] + cap.window for cap in full)

    def caps(self, message: Message, tier: FieldValue) -> Iterator[tuple[str, Cap]]:
        """Yield the caps in the order of the gates, each with its reason."""
        limits = self.rule.limits
        yield "limits.at_most", limits.at_most
        if message.channel != "manual":
            for cap in self.policy.contact:
                yield "policy.contact", cap
            by_tier = self.policy.contact_by_tier.get(tier) if isinstance(tier, str) else None
            if by_tier is not None:
                yield "policy.contact", by_tier
        if limits.only_one_of is not None:
            yield "only_one_of", Cap(1, self.policy.groups.get(limits.only_one_of, 0))


def _full(cap: Cap, t: int, offers: Sequence[int]) -> bool:
    return sum(t - cap.window < offer <= t for offer in offers) >= cap.count
