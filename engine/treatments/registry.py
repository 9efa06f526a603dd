"""All treatments by the names that a feeds file gives them, with their settings.

The order of the table is the order in which steps run, whatever order a feed asks for them in: each step can
rely on what the ones before it have set right. A treatment is one entry here and a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from engine.errors import InputError
from engine.identity import Identity
from engine.options import Options
from engine.treatments.chain import Chain
from engine.treatments.correlation import USUAL, Correlation, CorrelationOptions
from engine.treatments.duplicates import Duplicates
from engine.treatments.handset_changes import HandsetChanges
from engine.treatments.identity import Edge
from engine.treatments.impossible_moves import ImpossibleMoves
from engine.treatments.late import Late
from engine.treatments.memory import Memories
from engine.treatments.parking import Parking
from engine.treatments.ping_pong import PingPong
from engine.treatments.ping_pong_repeat import PingPongRepeat
from engine.treatments.roaming import Roaming
from engine.treatments.roaming_held import HeldRoaming
from engine.treatments.start_cell import StartCell
from engine.treatments.step import Step
from engine.treatments.thinning import Thinning
from engine.treatments.unknown_cells import UnknownCells
from engine.treatments.where_options import (
    DuplicatesOptions,
    ImpossibleMovesOptions,
    LateOptions,
    PingPongOptions,
    StartCellOptions,
    ThinningOptions,
    UnknownCellsOptions,
)
from engine.treatments.who_options import HandsetOptions, IdentityOptions, ParkingOptions, RoamingOptions

CELLS: Final = "cells"
"""The table of cells: an `engine.cells.CellTable`."""
HANDSETS: Final = "handsets"
"""The table of handsets: TAC -> `engine.treatments.handset_changes.Handset`."""
NUMBERS: Final = "numbers"
"""The catalogue's lists of numbers: an `engine.language.number_lists.NumberLists`."""

Some = TypeVar("Some", bound=Options)


@dataclass(frozen=True, slots=True)
class Around:
    """What a step may lean on beside its own settings."""

    identity: Identity
    """Keys of subscribers and numbers."""
    disorder: int = 0
    """µs that the source's watermark stays behind its newest record."""
    tables: Mapping[str, Any] = field(default_factory=dict)
    """Tables of the feeds file that its treatments need, loaded: `cells`, `handsets`, `numbers`."""
    memories: Memories = field(default_factory=Memories)
    """What steps of all feeds remember together."""
    latest: Callable[[], int] | None = None
    """The latest time that the collector takes now, µs; None: it takes any."""
    shared: dict[str, Any] = field(default_factory=dict)
    """What steps of several feeds share besides; the first that needs it puts it here."""

    def correlation(self, options: CorrelationOptions = USUAL) -> Correlation:
        """Return what is known of IMSIs, numbers and handsets, for all feeds."""
        if "correlation" not in self.shared:
            found = Correlation(self.identity, self.memories, options, latest=self.latest)
            self.shared["correlation"] = found
        correlation: Correlation = self.shared["correlation"]
        return correlation


@dataclass(frozen=True, slots=True)
class Treatment(Generic[Some]):
    """One treatment, as a feeds file can ask for it."""

    say: str
    """What it does, in one line."""
    options: type[Some]
    make: Callable[[Some, Around], Step]
    tables: tuple[str, ...] = ()
    """Tables that have to be in the feeds file for it."""
    needs: tuple[str, ...] = ()
    """Treatments that the feed has to ask for besides."""
    asks: Callable[[Mapping[str, Options]], str] = lambda _: ""
    """Given the settings of all treatments of a feed by name: what is wrong for it, empty if nothing."""
    alone: bool = False
    """It looks at each record alone: done, too, to one that is brought in again, out of its order."""


def _ping_pong(options: PingPongOptions, around: Around) -> Step:
    sites: Mapping[str, object] = {}
    if options.same == "site":
        if CELLS not in around.tables:
            raise InputError("ping_pong", "a table `cells` beside `same: site`", "none")
        table = around.tables[CELLS]
        sites = {name: cell.site or (cell.lat, cell.lon) for name, cell in table.cells.items()}
    return PingPong(options, sites) if options.mode == "hold" else PingPongRepeat(options, sites)


def _roaming(options: RoamingOptions, around: Around) -> Step:
    step = Roaming(around.memories, options)
    return HeldRoaming(step, options) if options.hold else step


def _identity(options: IdentityOptions, around: Around) -> Step:
    lists = around.tables.get(NUMBERS)
    if options.classes and lists is None:
        raise InputError("identity", "a table `numbers` beside `classes: yes`", "none")
    classes = None if lists is None else lists.classes(around.identity.home_cc)
    correlation = around.correlation(options.correlation) if options.correlate else None
    return Edge(around.identity, options, correlation=correlation, classes=classes)


def _asks_to_correlate(others: Mapping[str, Options]) -> str:
    identity = others.get(Edge.name)
    if isinstance(identity, IdentityOptions) and not identity.correlate:
        return "expected `identity: {correlate: yes}` to learn what it waits for, was no"
    return ""


# Who it is before all else, and what waits for that before it is looked at any further. Cells first of the
# others, as these go by them; copies before anything counts them; then time; then what is impossible, so that
# it is no end of a ping-pong; then thinning, by what is believed; last what is derived from all that.
TREATMENTS: Final[Mapping[str, Treatment[Any]]] = {
    Edge.name: Treatment(
        "Numbers in one way, their classes, IMEIs, guests; IMSI, MSISDN and IMEI held together.",
        IdentityOptions,
        _identity,
        alone=True,  # but for `correlate`
    ),
    Parking.name: Treatment(
        "Lets records wait a little for their number or their IMSI.",
        ParkingOptions,
        lambda options, around: Parking(around.correlation(), around.memories, options),
        needs=(Edge.name,),
        asks=_asks_to_correlate,
    ),
    UnknownCells.name: Treatment(
        "Takes off cells that are none: malformed, fillers, not in the cells table if there is one.",
        UnknownCellsOptions,
        lambda options, around: UnknownCells(options, around.tables.get(CELLS)),
        alone=True,
    ),
    Duplicates.name: Treatment(
        "Drops a procedure that a second probe saw as well.",
        DuplicatesOptions,
        lambda options, around: Duplicates(options),
    ),
    Late.name: Treatment(
        "Flags, or drops, what is far behind the feed's own time.",
        LateOptions,
        lambda options, around: Late(options),
    ),
    StartCell.name: Treatment(
        "Takes the start cell off long calls and sessions; makes sightings of start and end cells.",
        StartCellOptions,
        lambda options, around: StartCell(options),
        alone=True,
    ),
    ImpossibleMoves.name: Treatment(
        "Does not believe moves of 10 km at 55 m/s.",
        ImpossibleMovesOptions,
        lambda options, around: ImpossibleMoves(options, around.tables[CELLS].positions),
        tables=(CELLS,),
    ),
    PingPong.name: Treatment(
        "Does not believe a short change of cell with a return.",
        PingPongOptions,
        _ping_pong,
    ),
    Thinning.name: Treatment(
        "Drops sightings that say nothing new.",
        ThinningOptions,
        lambda options, around: Thinning(options),
    ),
    HandsetChanges.name: Treatment(
        "Derives `handset.change` from the TACs of records.",
        HandsetOptions,
        lambda options, around: HandsetChanges(around.memories, options, around.tables.get(HANDSETS)),
    ),
    Roaming.name: Treatment(
        "Derives `roam.*` from the networks of records.",
        RoamingOptions,
        _roaming,
    ),
}
"""Name -> treatment, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A treatment that a feed asks for, with its settings."""

    treatment: Treatment[Any]
    options: Options
    unsure: frozenset[str] = frozenset()
    """Keys that have a mistake: in a feeds file that is only looked at."""


def chain_of(asked: Iterable[Asked], around: Around) -> Chain:
    """Make the chain of a feed; `asked` is in the order of the table."""
    return Chain(each.treatment.make(each.options, around) for each in asked)


def edge_of(chain: Chain) -> Edge | None:
    """Return what a feed's intake has to call (`Intake(edge=…)`): its `identity`, None without."""
    return next((step for step in chain.steps if isinstance(step, Edge)), None)
