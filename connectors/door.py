"""What a door says of itself, so that a feeds file can ask for it (docs/doors/feeds.md).

A door is a class of options, a function that makes its source, and what is worth checking before it is
opened. It is known to the collector by one entry in `connectors.doors`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

from engine.collector import Source
from engine.errors import InputError
from engine.options import Options

SECOND: Final = 1_000_000
COMMON: Final = frozenset({"door", "say", "map", "disorder", "idle", "kinds", "treatments"})
"""Keys of every feed: no option of a door is named so."""

Some = TypeVar("Some", bound=Options)


@dataclass(frozen=True, slots=True)
class House:
    """What a door gets of the deployment beside its own options."""

    kafka: Mapping[str, Any] = field(default_factory=dict)
    """Connection options of aiokafka for our own brokers."""
    topics: frozenset[str] = frozenset()
    """Names of the topics that this deployment writes itself: read in, they would be written without end."""
    web_port: int = 0
    """Where this process serves its own pages; 0: nowhere."""
    feeds: int = 1
    """How many feeds there are: they share the room in a checkpoint."""

    def share(self, most: int, all_in_all: int) -> int:
        """Return how much one feed may remember: `most`, less if all would have more together."""
        return min(most, all_in_all // self.feeds)


class Mistake(NamedTuple):
    """Why a feed can't work as it is: told at the place of a key as `KEY: expected X, was Y`."""

    key: str
    """Of the feed; empty: the feed as a whole."""
    expected: str
    was: str
    hint: str = ""


def _no_mistakes(options: Any, house: House) -> Iterable[Mistake]:
    return ()


def _nothing(options: Any) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Door(Generic[Some]):
    """One door, as a feeds file can ask for it."""

    say: str
    """What it reads, in one line."""
    options: type[Some]
    make: Callable[[str, Some, Any, House], Source]
    """(name of the feed, options, its map or None, house) -> source. Opens nothing: `Source.open` does."""
    disorder: int = 0
    """µs: default of the key `disorder`."""
    idle: int = 300 * SECOND
    """µs: default of the key `idle`."""
    load_map: Callable[[str], Any] | None = None
    """Loads what the key `map` names, a map of the program or the path of a file; raises InputError. None:
    the door takes no map."""
    map_kinds: Callable[[Any], frozenset[str]] = lambda _: frozenset()
    """Kinds that a map can bring; empty: any."""
    needs_map: bool = False
    read_map: Callable[[str], tuple[Any, list[InputError]]] | None = None
    """The same as `load_map`, but returns a map, or None and all its mistakes."""
    claims: Callable[[Some], Iterable[str]] = _nothing
    """What no other feed may use at the same time: `folder /data/in`, `port 8443`. `leaves /data/in/done`:
    what is read ends up there, for no feed to read again."""
    claimed_by: frozenset[str] = frozenset()
    """Keys that `claims` looks at."""
    look: Callable[[Some, House], Iterable[Mistake]] = _no_mistakes
    """Looks outside, without changing anything, for what can't work: a folder that is missing."""
    shown: Callable[[Some], str] = lambda _: ""
    """Where its records come from, in a few words: `/data/in/*.txt`."""
