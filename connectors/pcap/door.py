"""A folder of captures as a feeds file asks for it: the landing directory, its files read frame by frame."""

from __future__ import annotations

from typing import Any, Final

from connectors.door import SECOND, Door, House
from connectors.landing import Landing
from connectors.landing_door import CLAIMED_BY, LandingOptions, claims, look, remembered
from connectors.landing_file import Begin, Reading, Take
from connectors.pcap.procedures import Record
from connectors.pcap.records import Packets, taken
from engine.event import Event
from engine.intake import Intake

DISORDER: Final = 60 * SECOND
"""A procedure without an answer becomes a record when its time is over, the capture's buffers aside."""


class PcapOptions(LandingOptions):
    """Of a folder of captures: those of a landing directory."""


def make(name: str, options: PcapOptions, columns: Any, house: House) -> Landing:
    """Return the source."""
    return Landing(name, options.folder, choice=options.choice, read=read, remembered=remembered(house))


def read(begin: Begin, intake: Intake) -> tuple[Reading, Take]:
    """Return the frames of a capture from one on, and what makes events of their records."""

    def take(number: int, records: list[Record], position: str) -> list[Event]:
        return list(taken(records, intake, begin.shown))

    packets = Packets(
        begin.path,
        intake,
        name=begin.shown,
        offset=begin.offset,
        number=begin.number,
        opener=begin.opener,
    )
    return packets, take


DOOR: Door[PcapOptions] = Door(
    say="Packet captures that are put into a folder, for tests and labs: S1AP with NAS, and MAP.",
    options=PcapOptions,
    make=make,
    disorder=DISORDER,
    idle=1_800 * SECOND,
    claims=claims,
    claimed_by=CLAIMED_BY,
    look=look,
    shown=lambda options: str(options.folder / options.files),
)
