"""Late records: flagged where they come in, dropped only if asked for.

1. A signaling record is late by the source's watermark - its `t`: by how much its feed is behind itself,
   beyond the disorder that the feed is allowed.
2. Late by more than `flag_after`: flagged `late`, nothing else. What it may still do is for the engine to
   judge, by the clock of the subscriber (semantics.md 1.5); rules can test the flag.
3. Late by more than `drop_after`: dropped. Off by default, as the engine drops what is late by more than
   1 h itself, and its clock may be behind the watermark of this source, while another source is.
4. Business and control records are not looked at: they count for 48 h, or whenever they come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from engine.event import Event
from engine.options import Duration, Options, option
from engine.treatments.flags import SIGNALING, flag

FLAG: Final = "late"
MINUTE: Final = 60_000_000
DAY: Final = 1_440 * MINUTE


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


class Late:
    """Step `late`."""

    name = "late"

    def __init__(self, options: LateOptions) -> None:
        self.counts: Counter[str] = Counter()
        """`flagged`, `dropped`."""
        self._flag_after = options.flag_after
        self._drop_after = options.drop_after
        self._watermark = -1

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return it, or nothing."""
        late = self._watermark - event.t
        if late <= self._flag_after or event.kind not in SIGNALING:
            return (event,)
        if self._drop_after is not None and late > self._drop_after:
            self.counts["dropped"] += 1
            return ()
        flag(event, FLAG)
        self.counts["flagged"] += 1
        return (event,)

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Take in the time."""
        self._watermark = watermark
        return ()

    def pack(self) -> Mapping[str, int]:
        """Return the time."""
        return {"watermark": self._watermark}

    def restore(self, packed: Mapping[str, Any] | None) -> None:
        """Go on where `pack` was called."""
        self._watermark = (packed or {}).get("watermark", -1)
