"""Late records: flagged where they come in, dropped only if asked for.

1. A signaling record is late by the source's watermark - its `t`: by how much its feed is behind itself,
   beyond the disorder that the feed is allowed. The watermark is the one that was the first in its whole
   second: so a record counts as less late than it is, by less than a second.
2. Late by more than `flag_after`: flagged `late`, nothing else. What it may still do is for the engine to
   judge, by the clock of the subscriber (semantics.md 1.5); rules can test the flag.
3. Late by more than `drop_after`: dropped. Off by default, as the engine drops what is late by more than
   1 h itself, and its clock may be behind the watermark of this source, while another source is.
4. Business and control records are not looked at: they count for 48 h, or whenever they come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from engine.event import Event
from engine.treatments.flags import SIGNALING, flag
from engine.treatments.where_options import LateOptions

FLAG: Final = "late"


class Late:
    """Step `late`."""

    name: ClassVar[str] = "late"

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
