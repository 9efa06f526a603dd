"""Settings of the steps that look at places and times, in the order in which they run.

They stand beside the steps, not in them: pydantic reads annotations that compiled modules do not keep.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from engine.options import Duration, Kinds, Options, option
from engine.treatments.recent import PACKED, SUBSCRIBERS

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


class Remembering(Options):
    """How much a step remembers: the settings that all steps have which know subscribers."""

    subscribers: int = option(
        SUBSCRIBERS,
        "a whole number from 1 to 50,000,000",
        "subscribers remembered; those longest without a record are forgotten first",
        ge=1,
        le=50_000_000,
    )
    checkpointed: int = option(
        PACKED,
        "a whole number from 0 to 100,000",
        "subscribers that are remembered over a restart, those with the newest records",
        ge=0,
        le=100_000,
    )


class UnknownCellsOptions(Options):
    """Settings of `unknown_cells`: none."""


class DuplicatesOptions(Remembering):
    """Settings of `duplicates`."""

    within: Duration = option(
        2 * SECOND, "a length of time from 1s to 5m", "times of two copies are at most so far apart",
        ge=SECOND, le=300 * SECOND,
    )  # fmt: skip
    kinds: Kinds = option(
        frozenset(), "a list of kinds", "only these are looked at; empty: all of the network"
    )


class LateOptions(Options):
    """Settings of `late`."""

    flag_after: Duration = option(
        5 * MINUTE, "a length of time up to 24h", "later than the watermark by more than this: flagged",
        ge=0, le=DAY,
    )  # fmt: skip
    drop_after: Duration | None = option(
        None, "a length of time from 1h to 48h", "later by more than this: dropped; not given: never",
        ge=60 * MINUTE, le=2 * DAY,
    )  # fmt: skip

    def wrong(self) -> Iterator[str]:
        """Yield that what is dropped would be flagged later."""
        if self.drop_after is not None and self.drop_after < self.flag_after:
            yield "expected drop_after of flag_after or more, was less"


class StartCellOptions(Options):
    """Settings of `start_cell`."""

    longest: Duration = option(
        5 * MINUTE, "a length of time from 0m to 1h", "what lasted longer loses the cell of its start",
        ge=0, le=HOUR,
    )  # fmt: skip
    cell_is: Literal["start", "end"] = option(
        "start", "start or end", "whether `cell` of the feed is that of the start or of the end"
    )


class ImpossibleMovesOptions(Remembering):
    """Settings of `impossible_moves`."""

    distance: float = option(
        10_000.0, "metres from 1,000 to 1,000,000", "a move is impossible from so many metres on",
        ge=1_000, le=1_000_000,
    )  # fmt: skip
    speed: float = option(
        55.0, "metres per second from 10 to 1,000", "and from so many metres per second on", ge=10, le=1_000
    )
    confirm: int = option(
        3, "a whole number from 2 to 20", "so many sightings in a row that agree are believed", ge=2, le=20
    )


class PingPongOptions(Remembering):
    """Settings of `ping_pong`."""

    within: Duration = option(
        2 * MINUTE,
        "a length of time from 60s to 5m",
        "a return after at most so long makes the records between ping-pong",
        ge=MINUTE,
        le=5 * MINUTE,
    )
    mode: Literal["hold", "repeat"] = option(
        "hold", "hold or repeat",
        "hold: a change of cell waits until it is decided; repeat: no delay, flag from the second flip on",
    )  # fmt: skip
    alone: Duration = option(
        0,
        "a length of time from 0m to 30m",
        "the same, if all that was seen elsewhere is of the first minute (mode hold); at least `within`",
        ge=0,
        le=30 * MINUTE,
    )
    same: Literal["cell", "site"] = option(
        "cell", "cell or site", "what counts as one: a cell, or all cells of a site of the cells table"
    )
    most: int = option(
        2_000,
        "a whole number from 1 to 100,000",
        "records kept back at most, all in all (mode hold); each is about 300 bytes of every checkpoint",
        ge=1,
        le=100_000,
    )


class ThinningOptions(Remembering):
    """Settings of `thinning`."""

    every: Duration = option(
        4 * MINUTE, "a length of time from 0m to 4h", "in the same cell one sighting in so long goes on",
        ge=0, le=240 * MINUTE,
    )  # fmt: skip
    periodic: Duration = option(
        54 * MINUTE, "a length of time from 1m to 24h", "periodic timer of the network (T3412, T3212, T3512)",
        ge=MINUTE, le=1_440 * MINUTE,
    )  # fmt: skip
    lapse: Duration = option(
        58 * MINUTE, "a length of time from 1m to 24h", "the least `presence.lapse` of the policy",
        ge=MINUTE, le=1_440 * MINUTE,
    )  # fmt: skip
    drop: tuple[str, ...] = option(
        ("paging", "context_release"), "a list of causes", "`loc.sight` with such a `cause` is dropped"
    )

    def wrong(self) -> Iterator[str]:
        """Yield what would let presence lapse."""
        if self.every and self.every > self.lapse - self.periodic:
            yield "expected every of lapse - periodic or less, was more: presence would lapse"
