"""All treatments by the names that a feeds file gives them, with their settings.

The order of the table is the order in which steps run, whatever order a feed asks for them in: each step can
rely on what the ones before it have set right. A treatment is one entry here and a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from engine.identity import Identity
from engine.options import Options
from engine.treatments.step import Chain, Step

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


TREATMENTS: Final[Mapping[str, Treatment[Any]]] = {}
"""Name -> treatment, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A treatment that a feed asks for, with its settings."""

    treatment: Treatment[Any]
    options: Options


def chain_of(asked: Iterable[Asked], around: Around) -> Chain:
    """Make the chain of a feed; `asked` is in the order of the table."""
    return Chain(each.treatment.make(each.options, around) for each in asked)
