"""What of a feeds file can't work: found by looking outside, without changing anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.door import House
from connectors.map_model import map_names
from engine.deployment.feeds.build import map_of
from engine.deployment.feeds.model import Feed, Feeds
from engine.errors import InputError
from engine.identity import Identity
from engine.language.problems import Problem
from engine.language.source import Mapping as YamlMapping
from engine.language.source import Node
from engine.language.suggest import did_you_mean
from engine.options import problem
from engine.treatments.registry import Around


def look(
    feeds: Feeds, house: House, identity: Identity, others: Mapping[str, Sequence[str]]
) -> list[Problem]:
    """Return what can't work, all of it, and as warnings what may be meant otherwise.

    `others`: name of a feed that the settings name -> what it claims (`Door.claims`).
    """
    looking = _Looking(feeds, house, identity)
    looking.claims(others)
    tables = looking.tables()
    for feed in feeds.feeds.values():
        looking.feed(feed, tables)
    return sorted(looking.problems, key=lambda found: found.order)


class _Looking:
    """Looks through one file."""

    def __init__(self, feeds: Feeds, house: House, identity: Identity) -> None:
        self.file = feeds
        self.house = house
        self.identity = identity
        self.problems: list[Problem] = []

    def claims(self, others: Mapping[str, Sequence[str]]) -> None:
        """Find feeds that want the same folder, port or topic, or the name of a feed of the settings."""
        held = [(name, claim) for name, claims in others.items() for claim in claims]
        for feed in self.file.feeds.values():
            if feed.name in others:
                self._say(feed.node, f"expected another name, was `{feed.name}`, as a setting names one")
            for claim in feed.door.claims(feed.options):
                for other, theirs in held:
                    if _clash(claim, theirs):
                        said = f"expected a {claim.split()[0]} of its own, was {claim}"
                        self._say(feed.node, f"{said}, which the feed `{other}` reads")
                held.append((feed.name, claim))

    def tables(self) -> dict[str, Any]:
        """Load the tables that can be loaded."""
        found = {}
        for name, file in self.file.tables.items():
            try:
                found[name], wrong = file.table.looked(file.path)
                for each in wrong:
                    self._warn(file.node, f"`{name}`: left out: {each}")
            except InputError as error:
                self._say(file.node, f"`{name}`: {error}")
        return found

    def feed(self, feed: Feed, tables: Mapping[str, Any]) -> None:
        """Look at one feed."""
        for mistake in feed.door.look(feed.options, self.house):
            name = f"`{mistake.key}`: " if mistake.key else ""
            said = f"{name}expected {mistake.expected}, was {mistake.was}"
            self._say(_at(feed, mistake.key), said, mistake.hint)
        try:
            self._kinds(feed, map_of(feed))
        except InputError as error:
            known = str(error).removeprefix("map: ")
            hint = did_you_mean(feed.common.map, map_names()) if error.where == "map" else ""
            if "more mistakes" in known:
                hint = "`touchpoint map check` tells all that is wrong with a map"
            self._say(_at(feed, "map"), f"`map`: {known}", hint)
        for name, asked in feed.treatments.items():
            if all(table in tables for table in asked.treatment.tables):
                try:
                    asked.treatment.make(asked.options, Around(self.identity, feed.disorder, tables))
                except InputError as error:
                    known = str(error).removeprefix(f"{name}: ")
                    self._say(_at(feed, "treatments", name), f"`{name}`: {known}")

    def _kinds(self, feed: Feed, columns: Any) -> None:
        brought = frozenset() if columns is None else feed.door.map_kinds(columns)
        wanted = feed.common.kinds
        if not brought or not wanted:
            return
        for kind in sorted(wanted - brought):
            offered = ", ".join(f"`{each}`" for each in sorted(brought))
            self._say(
                _at(feed, "kinds"),
                f"`kinds`: expected kinds that the map `{feed.common.map}` brings, was `{kind}`",
                f"it brings {offered}",
            )
        left = sorted(brought - wanted)
        if left:
            shown = ", ".join(f"`{kind}`" for kind in left)
            self._warn(
                _at(feed, "kinds"),
                f"`kinds`: the map `{feed.common.map}` brings {shown} too: "
                "while the feed is silent they are not named as down",
            )

    def _say(self, node: Node, message: str, hint: str = "") -> None:
        self.problems.append(problem(self.file.source, node, message, hint))

    def _warn(self, node: Node, message: str) -> None:
        self.problems.append(self.file.source.problem("", node, message, "", "warning"))


def _at(feed: Feed, *keys: str) -> Node:
    """Return the value of a key of a feed, or the nearest that is there."""
    node = feed.node
    for key in keys:
        inner = node.get(key) if isinstance(node, YamlMapping) else None
        if inner is None:
            return node
        node = inner
    return node


def _clash(one: str, other: str) -> bool:
    """Say whether two claims can't stand together: `folder /in` is all of it, `folder /in *.txt` a part."""
    return one == other or one.startswith(f"{other} ") or other.startswith(f"{one} ")
