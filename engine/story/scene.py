"""A scene: a few things that happen to one subscriber, and the moment at which the pattern then matches.

Times are µs, seen from the moment of the match, or the moment at which it would have been: that is 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal

from engine.language.model import FieldType, Pattern, Test
from engine.language.testing import FieldValue, Step

SECOND: Final = 1_000_000
PAUSE: Final = 600 * SECOND
"""Between two things that have nothing to do with each other, where a window leaves room for it."""

NoteKind = Literal[
    "plain", "again", "seen_again", "never_inside", "lost", "just_seen", "back_again",
    "left_before", "left_at", "left_after", "unseen_at", "seen_at",
    "too_few", "one_more", "window_out", "window_in", "too_little", "enough",
    "passes", "fails", "unknown", "barred", "barred_unknown", "lacking",
    "next_member", "to_member", "left_members", "split_stay", "once_inside", "but_for",
    "wrong_order", "other_order", "cancelled", "too_late_to_cancel", "before_wait", "wait_anew",
    "who_listed", "if_passes", "if_fails", "if_unknown",
    "who_passes", "who_fails", "who_unknown", "except_bars", "except_unknown",
    "no_consent", "consent_unknown", "message", "no_message", "control", "restart",
    "second_soon", "second_early", "second_free", "task_again", "quiet_task",
    "quiet_before", "quiet_start", "quiet_last", "quiet_end", "waits_too_long", "waits_long_enough",
    "valid_first", "valid_before", "valid_last", "valid_after",
    "hours_before", "hours_start", "hours_last", "hours_end", "other_day",
]  # fmt: skip
"""What a case is about. Every language has words for each (a test holds them to it)."""


@dataclass(frozen=True, slots=True)
class Note:
    """Why a case is worth showing. Which of the values are given depends on the kind."""

    kind: NoteKind = "plain"
    amount: int = 0
    """µs, or a number of things."""
    more: int = 0
    """A second number."""
    field: str = ""
    value: FieldValue = None
    type: FieldType = "text"
    test: Test | None = None
    """The line in question."""
    pattern: Pattern | None = None
    """The part in question."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens, and whether the pattern matches."""

    steps: tuple[Step, ...]
    hit: bool = True
    at: int = 0
    """When it matches, of a `hit`."""
    note: Note = field(default_factory=Note)
    also: tuple[int, ...] = ()
    """When else it matches, after `at`."""

    @property
    def closes(self) -> bool:
        """The subscriber is left inside a place: before it can be played again, they must go."""
        located = [step for step in self.steps if step.place]
        last = max(reversed(located), key=lambda step: step.at + (step.times - 1) * step.every, default=None)
        return last is not None and last.verb != "leaves"

    @property
    def start(self) -> int:
        """Time of the first step."""
        return min(step.at for step in self.steps)

    @property
    def end(self) -> int:
        """Time of the last record."""
        return max(step.at + (step.times - 1) * step.every for step in self.steps)

    def moved(self, by: int) -> Scene:
        """Return the same scene `by` µs later."""
        also = tuple(at + by for at in self.also)
        return replace(self, steps=move(self.steps, by), at=self.at + by, also=also)


def move(steps: tuple[Step, ...], by: int) -> tuple[Step, ...]:
    """Return the same steps `by` µs later."""
    return tuple(replace(step, at=step.at + by) for step in steps)


def whole(micros: int) -> int:
    """Round down to whole seconds: finer times can't be written in a test file."""
    return micros // SECOND * SECOND


def pause(window: int, parts: int) -> int:
    """Return a pause of whole seconds of which `parts` fit a window with room to spare; 0 if none does."""
    return min(PAUSE, whole(window // (parts + 1)))
