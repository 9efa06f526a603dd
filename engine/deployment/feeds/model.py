"""What a feeds file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.door import Door
from engine.deployment.feeds.tables import Table
from engine.language.problems import Problem
from engine.language.source import Node, Source
from engine.options import Duration, Kinds, Options, option
from engine.treatments.registry import Asked


class FeedOptions(Options):
    """Keys of every feed, whatever its door."""

    door: str = option(
        "", "the name of a door", "Where the records come from; it says which keys there are besides."
    )
    say: str = option("", "text", "What it is, for people.")
    map: str = option(
        "",
        "the name of a map of the program, or the path of a .yaml file with one",
        "How what comes becomes records; not every door takes one.",
    )
    disorder: Duration | None = option(
        None,
        "a length of time from 0s to 24h, such as 5m",
        "How far behind the newest record of the feed a later one may be; time follows so far behind.",
        ge=0,
        le=86_400_000_000,
    )
    idle: Duration | None = option(
        None,
        "a length of time from 0s to 24h, such as 30m",
        "Without a record for so long the feed is silent: it holds time up no longer, and `/readyz` says so. "
        "`0s` = never: then time of all feeds stands still with it.",
        ge=0,
        le=86_400_000_000,
    )
    kinds: Kinds = option(
        frozenset(),
        "a list of kinds of records",
        "The kinds that the feed brings: while it is silent ticks name them as down, and no absence rule "
        "over them fires. None: those that it has brought.",
    )


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed."""

    name: str
    door_name: str
    common: FeedOptions
    door: Door[Any]
    options: Options
    """Of the door."""
    treatments: Mapping[str, Asked]
    """By name, in the order in which they run."""
    node: Node
    """Where it stands in the file."""
    folder: Path
    """Of the file: relative paths begin there."""
    unsure: frozenset[str] = frozenset()
    """Keys that have a mistake, of its door's and the common ones: here they are as if not given."""

    @property
    def map(self) -> str:
        """The map that it names, as `Door.load_map` takes it; empty: none."""
        given = self.common.map
        return str(self.folder / given) if given.endswith((".yaml", ".yml")) else given

    @property
    def disorder(self) -> int:
        """µs that its watermark stays behind its newest record."""
        given = self.common.disorder
        return self.door.disorder if given is None else given

    @property
    def idle(self) -> int:
        """µs without a record after which it is silent; 0: never."""
        given = self.common.idle
        return self.door.idle if given is None else given


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table, and the file that it is in."""

    table: Table
    path: Path
    node: Node


@dataclass(frozen=True, slots=True)
class Feeds:
    """A feeds file as read. With `problems` it is not to be used, but what could be read is there."""

    source: Source
    feeds: Mapping[str, Feed]
    tables: Mapping[str, TableFile]
    problems: tuple[Problem, ...] = ()
    drafts: Mapping[str, Feed] = field(default_factory=dict)
    """The feeds with mistakes, as far as they could be read: to look for more, and for nothing else."""
