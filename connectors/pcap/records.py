"""A capture file in, events out: as any other door, in bounded memory, each with `FILE:FRAME` as position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from connectors.pcap import library
from connectors.pcap.capture import Capture
from connectors.pcap.decoder import Decoder
from connectors.pcap.procedures import Record
from engine.errors import InputError
from engine.event import Event
from engine.intake import Intake
from engine.refusals import shown_name

REASON: Final = "decode"
"""Of refusals: a frame, or a message in it, can't be decoded."""


class Packets:
    """The records of one capture file, from any frame on.

    What frames before that have told is needed to know whose later ones are, so they are decoded again: their
    records and refusals are not given a second time. Same shape as `connectors.lines.Lines`.
    """

    def __init__(
        self,
        path: Path,
        intake: Intake,
        *,
        name: str,
        offset: int = 0,
        number: int = 0,
        opener: Callable[[str, int], int] | None = None,
    ) -> None:
        self.number = number
        """Of the last frame whose records were given."""
        self.offset = offset
        """1: what had no end at the end of the file was given. Captures are decoded from their beginning."""
        self._capture = Capture(path, opener=opener)
        self._intake = intake
        self._name = name
        self._skipped = number
        self._decoder = Decoder(intake.identity.key, self._refused)

    @property
    def counts(self) -> Counter[str]:
        """What the capture holds, by name (`Decoder.counts`)."""
        return self._decoder.counts

    def __iter__(self) -> Iterator[tuple[int, list[Record]]]:
        """Yield (frame, records it completes) for each frame, last what had no end yet.

        Raises InputError if pycrate is missing, if the file is no capture, and, after the records before it,
        where it is cut off or damaged; what had no end by then is given first.
        """
        library.need()
        damaged: InputError | None = None
        try:
            for frame in self._capture:
                records = list(self._decoder.take(frame))
                if frame.number > self._skipped:
                    self.number, self.offset = frame.number, 0
                    yield frame.number, records
        except InputError as error:
            damaged = error
        last = self._capture.number
        records = list(self._decoder.finish(last))
        if last >= self._skipped and not (self.offset and last == self._skipped):
            self.number, self.offset = last, 1
            yield last + 1, records
        if damaged is not None:
            raise damaged

    def _refused(self, frame: int, detail: str) -> None:
        if frame > self._skipped:
            self._intake.refuse(REASON, detail, self._name, f"{self._name}:{frame}", "")


def taken(records: list[Record], intake: Intake, name: str) -> Iterator[Event]:
    """Yield the events of records; those of one frame have `FILE:FRAME#1`, `#2` … as position."""
    for place, record in enumerate(records, 1):
        position = f"{name}:{record.frame}" + (f"#{place}" if len(records) > 1 else "")
        event = intake.record(record.fields, record.fields["source"], position)
        if event is not None:
            yield event


def read_capture(path: Path, intake: Intake) -> Iterator[Event]:
    """Yield the events of a capture in its order; what is wrong goes to `intake` with `FILE:FRAME`.

    Raises InputError as `Packets` does.
    """
    name = shown_name(path.name, intake.identity.key)
    for _, records in Packets(path, intake, name=name):
        yield from taken(records, intake, name)
