"""What of a feeds file can't work: found by looking outside, without changing anything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from connectors.door import House
from connectors.map_model import map_names
from engine.deployment.feeds.build import map_of
from engine.deployment.feeds.model import Feed, Feeds
from engine.errors import InputError, shorten
from engine.identity import Identity
from engine.language.problems import Problem
from engine.language.source import Mapping as YamlMapping
from engine.language.source import Node
from engine.language.suggest import did_you_mean
from engine.options import mentions, problem
from engine.treatments.registry import Around


def problems_of(
    feeds: Feeds, house: House, identity: Identity, others: Mapping[str, Sequence[str]]
) -> list[Problem]:
    """Return all that is wrong: in the file, in what it names, and what can't work; by place, each once.

    Warnings tell what may be meant otherwise. `others`: name of a feed that the settings name -> what it
    claims (`Door.claims`).
    """
    looking = _Looking(feeds, house, identity)
    looking.claims(others)
    tables = looking.tables()
    for feed in looking.feeds:
        looking.feed(feed, tables)
    found = {problem.order: problem for problem in (*looking.problems, *feeds.problems)}
    return [found[order] for order in sorted(found)]


class _Looking:
    """Looks through one file."""

    def __init__(self, feeds: Feeds, house: House, identity: Identity) -> None:
        self.file = feeds
        self.house = house
        self.identity = identity
        self.problems: list[Problem] = []
        both = (*feeds.feeds.values(), *feeds.drafts.values())
        self.feeds = sorted(both, key=lambda feed: feed.node.start.index)

    def claims(self, others: Mapping[str, Sequence[str]]) -> None:
        """Find feeds that want the same folder, port or topic, or the name of a feed of the settings."""
        held = [(name, claim) for name, claims in others.items() for claim in claims]
        for feed in self.feeds:
            if feed.name in others:
                self._say(feed.node, f"expected another name, was `{feed.name}`, as a setting names one")
            if feed.unsure & feed.door.claimed_by:
                continue
            for claim in feed.door.claims(feed.options):
                for other, theirs in held:
                    said = _clash(claim, theirs, other)
                    if said:
                        self._say(feed.node, said)
                held.append((feed.name, claim))

    def tables(self) -> dict[str, Any]:
        """Load the tables that can be loaded."""
        found = {}
        for name, file in self.file.tables.items():
            try:
                table, wrong = file.table.looked(file.path)
                self.problems += wrong
                if table is not None:
                    found[name] = table
            except InputError as error:
                self._say(file.node, f"`{name}`: {error}")
        return found

    def feed(self, feed: Feed, tables: Mapping[str, Any]) -> None:
        """Look at one feed."""
        for mistake in feed.door.look(feed.options, self.house):
            if mistake.key in feed.unsure:
                continue  # told, or for want of what is
            name = f"`{mistake.key}`: " if mistake.key else ""
            said = f"{name}expected {mistake.expected}, was {mistake.was}"
            self._say(_at(feed, mistake.key), said, mistake.hint)
        if feed.map and feed.door.load_map is not None:
            self._map(feed)
        broken = self.file.tables.keys() - tables.keys()
        for name, asked in feed.treatments.items():
            if any(table not in tables for table in asked.treatment.tables):
                continue
            try:
                asked.treatment.make(asked.options, Around(self.identity, feed.disorder, tables))
            except InputError as error:
                known = str(error).removeprefix(f"{name}: ")
                if not mentions(known, {*asked.unsure, *broken}):
                    self._say(_at(feed, "treatments", name), f"`{name}`: {known}")

    def _map(self, feed: Feed) -> None:
        """Look at a map: what is wrong in its file is told there, that there is none at the feed."""
        mistakes: list[InputError] = []
        columns = None
        try:
            if feed.door.read_map is None:
                columns = map_of(feed)
            else:
                columns, mistakes = feed.door.read_map(feed.map)
        except InputError as error:
            mistakes = [error]
        for mistake in mistakes:
            found = _in_file(mistake)
            if found is not None:
                self.problems.append(found)
                continue
            hint = did_you_mean(feed.common.map, map_names()) if mistake.where == "map" else ""
            self._say(_at(feed, "map"), f"`map`: {str(mistake).removeprefix('map: ')}", hint)
        if columns is not None and "kinds" not in feed.unsure:
            self._kinds(feed, columns)

    def _kinds(self, feed: Feed, columns: Any) -> None:
        brought = feed.door.map_kinds(columns)
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


_PLACE = re.compile(r"(?P<path>.+?):(?P<line>\d+):(?P<col>\d+)(?:: (?P<name>.*))?")


def _in_file(mistake: InputError) -> Problem | None:
    """Return a mistake of a map as a problem at its place, None if it has no line."""
    place = _PLACE.fullmatch(mistake.where)
    if place is None:
        return None
    line, col = int(place["line"]), int(place["col"])
    try:
        source = Path(place["path"]).read_text(encoding="utf-8", errors="replace").split("\n")[line - 1]
    except (OSError, IndexError):
        source = ""
    said = f"expected {mistake.expected}, was {shorten(mistake.was)}"
    said = f"`{place['name']}`: {said}" if place["name"] else said
    return Problem(place["path"], line, col, col, "", said, "", "error", source.rstrip("\r"))


def _at(feed: Feed, *keys: str) -> Node:
    """Return the value of a key of a feed, or the nearest that is there."""
    node = feed.node
    for key in keys:
        inner = node.get(key) if isinstance(node, YamlMapping) else None
        if inner is None:
            return node
        node = inner
    return node


def _clash(one: str, other: str, name: str) -> str:
    """Say why a claim can't stand beside that of the feed `name`; empty if it can."""
    (what, where), (theirs, there) = one.split(" ", 1), other.split(" ", 1)
    if not _meet(where, there):
        return ""
    if what == "leaves" and theirs == "folder":
        return f"expected files left where no feed reads, was {where}, which the feed `{name}` reads"
    if what == "folder" and theirs == "leaves":
        return f"expected a folder of its own, was {one}, where the feed `{name}` leaves its files"
    if what != theirs or what == "leaves":
        return ""
    return f"expected a {what} of its own, was {one}, which the feed `{name}` reads"


def _meet(one: str, other: str) -> bool:
    """Say whether two places have something in common: `/in` is all of it, `/in *.txt` a part."""
    if one == other or one.startswith(f"{other} ") or other.startswith(f"{one} "):
        return True
    alike = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    begin = one.rfind(" ", 0, alike) + 1
    parts = one[begin:], other[begin:]
    return begin > 0 and not any("/" in part for part in parts) and any_name(*map(_tokens, parts))


def _tokens(pattern: str) -> tuple[str, ...]:
    """Part a pattern of names; `?` for one of some characters, too: better told once too often."""
    return tuple(re.sub(r"\[.[^]]*\]", "?", pattern))


@cache
def any_name(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Say whether there is a name that fits both patterns."""
    if not one or not other:
        return set(one or other) <= {"*"}
    if one[0] == "*":
        return any_name(one[1:], other) or any_name(one, other[1:])
    if other[0] == "*":
        return any_name(other, one)
    return (one[0] == other[0] or "?" in (one[0], other[0])) and any_name(one[1:], other[1:])
