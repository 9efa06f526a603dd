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
from engine.treatments.duplicates import Duplicates, DuplicatesOptions
from engine.treatments.impossible_moves import ImpossibleMoves, ImpossibleMovesOptions
from engine.treatments.late import Late, LateOptions
from engine.treatments.ping_pong import PingPong, PingPongOptions
from engine.treatments.ping_pong_repeat import PingPongRepeat
from engine.treatments.start_cell import StartCell, StartCellOptions
from engine.treatments.step import Chain, Step
from engine.treatments.thinning import Thinning, ThinningOptions
from engine.treatments.unknown_cells import UnknownCells, UnknownCellsOptions

CELLS: Final = "cells"
"""The table of cells: an `engine.cells.CellTable`."""

Some = TypeVar("Some", bound=Options)


@dataclass(frozen=True, slots=True)
class Around:
    """What a step may lean on beside its own settings."""

    identity: Identity
    """Keys of subscribers and numbers."""
    disorder: int = 0
    """µs that the source's watermark stays behind its newest record."""
    tables: Mapping[str, Any] = field(default_factory=dict)
    """Tables of the feeds file that its treatments need, loaded: `cells`, `tacs`, ..."""


@dataclass(frozen=True, slots=True)
class Treatment(Generic[Some]):
    """One treatment, as a feeds file can ask for it."""

    say: str
    """What it does, in one line."""
    options: type[Some]
    make: Callable[[Some, Around], Step]
    tables: tuple[str, ...] = ()
    """Tables that have to be in the feeds file for it."""


def _ping_pong(options: PingPongOptions, around: Around) -> Step:
    sites: Mapping[str, object] = {}
    if options.same == "site":
        if CELLS not in around.tables:
            raise InputError("ping_pong", "a table `cells` beside `same: site`", "none")
        table = around.tables[CELLS]
        sites = {name: cell.site or (cell.lat, cell.lon) for name, cell in table.cells.items()}
    return PingPong(options, sites) if options.mode == "hold" else PingPongRepeat(options, sites)


# Cells first, as all others go by them; copies before anything counts them; then time; then what is
# impossible, so that it is no end of a ping-pong; thinning last, by what is believed.
TREATMENTS: Final[Mapping[str, Treatment[Any]]] = {
    UnknownCells.name: Treatment(
        "takes off cells that are none: malformed, fillers, not in the cells table if there is one",
        UnknownCellsOptions,
        lambda options, around: UnknownCells(options, around.tables.get(CELLS)),
    ),
    Duplicates.name: Treatment(
        "drops a procedure that a second probe saw as well",
        DuplicatesOptions,
        lambda options, around: Duplicates(options),
    ),
    Late.name: Treatment(
        "flags, or drops, what is far behind the feed's own time",
        LateOptions,
        lambda options, around: Late(options),
    ),
    StartCell.name: Treatment(
        "takes the start cell off long calls and sessions, makes sightings of start and end cells",
        StartCellOptions,
        lambda options, around: StartCell(options),
    ),
    ImpossibleMoves.name: Treatment(
        "does not believe moves of 10 km at 55 m/s",
        ImpossibleMovesOptions,
        lambda options, around: ImpossibleMoves(options, around.tables[CELLS].positions),
        tables=(CELLS,),
    ),
    PingPong.name: Treatment(
        "does not believe a short change of cell with a return",
        PingPongOptions,
        _ping_pong,
    ),
    Thinning.name: Treatment(
        "drops sightings that say nothing new",
        ThinningOptions,
        lambda options, around: Thinning(options),
    ),
}
"""Name -> treatment, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A treatment that a feed asks for, with its settings."""

    treatment: Treatment[Any]
    options: Options


def chain_of(asked: Iterable[Asked], around: Around) -> Chain:
    """Make the chain of a feed; `asked` is in the order of the table."""
    return Chain(each.treatment.make(each.options, around) for each in asked)
