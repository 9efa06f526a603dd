"""A feeds file in, feeds out: every mistake with its place, none hides another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from connectors.door import COMMON, Door
from connectors.doors import DOORS
from engine.deployment.feeds.model import Feed, FeedOptions, Feeds, TableFile
from engine.deployment.feeds.tables import TABLES, Table
from engine.errors import InputError
from engine.language import source as yaml
from engine.language.problems import Problem
from engine.language.suggest import closest, did_you_mean
from engine.options import Options, Read, described, mentions, problem, read_options
from engine.treatments.registry import TREATMENTS, Asked, Treatment

TOP: Final = ("feeds", "tables")
Some = TypeVar("Some", bound=Options)
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
SIZE_AT_MOST: Final = yaml.MAX_BYTES


def load_feeds(path: Path) -> Feeds:
    """Read a feeds file. Raise InputError if it can't be read at all; mistakes in it are in `problems`."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(SIZE_AT_MOST + 1)
        text = raw.decode()
    except OSError as error:
        raise InputError(str(path), "a feeds file that can be read", error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise InputError(str(path), "text in UTF-8", f"not from byte {error.start}") from None
    return read_feeds(str(path), text)


def read_feeds(
    path: str,
    text: str,
    *,
    doors: Mapping[str, Door[Any]] = DOORS,
    treatments: Mapping[str, Treatment[Any]] = TREATMENTS,
    tables: Mapping[str, Table] = TABLES,
) -> Feeds:
    """Read the text of a feeds file; never raises."""
    return _Reading(yaml.read(path, text), doors, treatments, tables).read()


def _none(*_: Any) -> Any:
    raise AssertionError("a draft is not opened")


_NO_DOOR: Final[Door[Any]] = Door("", Options, _none)
"""Of a draft whose door, or what is asked of it, could not be read."""


class _Reading:
    """Reads one file."""

    def __init__(
        self,
        source: yaml.Source,
        doors: Mapping[str, Door[Any]],
        treatments: Mapping[str, Treatment[Any]],
        tables: Mapping[str, Table],
    ) -> None:
        self.source = source
        self.doors = doors
        self.treatments = treatments
        self.tables = tables
        self.problems: list[Problem] = list(source.problems)
        self.files: dict[str, TableFile] = {}
        self.meant: set[str | None] = set()
        """Tables that the file names, though not rightly: they are not said to be missing."""
        self.drafts: dict[str, Feed] = {}

    def read(self) -> Feeds:
        """Return what the file says."""
        feeds: dict[str, Feed] = {}
        root = self.source.root
        if root is None:
            if not self.problems:
                self.problems.append(
                    Problem(self.source.path, 1, 1, 1, "", "expected a mapping of feeds, was nothing")
                )
        elif not isinstance(root, yaml.Mapping):
            self._say(root, f"expected the keys {_all(TOP)}, was {described(root)}")
        else:
            for key, _ in root:
                if key.text not in TOP:
                    self._say(key, f"expected {_all(TOP)}, was `{key.text}`", did_you_mean(key.text, TOP))
            if "tables" in self.source.broken:
                self.meant.update(self.tables)
            self._read_tables(root.get("tables"))
            feeds = self._read_feeds(root)
        problems = tuple(sorted(self.problems, key=lambda found: found.order))
        return Feeds(self.source, feeds, self.files, problems, self.drafts)

    def _read_tables(self, node: yaml.Node | None) -> None:
        if node is None:
            return
        if not isinstance(node, yaml.Mapping):
            self.meant.update(self.tables)
            self._say(node, f"`tables`: expected names of tables with their files, was {described(node)}")
            return
        for key, value in node:
            if key.text not in self.tables:
                known = "; ".join(self.tables) or "none is known"
                self.meant.add(closest(key.text, self.tables))
                said = f"expected the name of a table, was `{key.text}`"
                self._say(key, said, did_you_mean(key.text, self.tables) or known)
            elif not isinstance(value, yaml.Scalar) or not value.text:
                self.meant.add(key.text)
                self._say(value, f"`{key.text}`: expected the path of a file, was {described(value)}")
            else:
                path = Path(self.source.path).parent / value.text
                self.files[key.text] = TableFile(self.tables[key.text], path, value)

    def _read_feeds(self, root: yaml.Mapping) -> dict[str, Feed]:
        node = root.get("feeds")
        if node is None:
            if "feeds" not in self.source.broken:
                self._say(root, "`feeds`: expected a mapping of feeds, was not given")
            return {}
        if not isinstance(node, yaml.Mapping) or not node.entries:
            self._say(node, f"`feeds`: expected a mapping of feeds by name, was {described(node)}")
            return {}
        found = {}
        for key, value in node:
            if NAME.fullmatch(key.text) is None:
                expected = "a name of 1 to 40 of the characters a-z 0-9 _ -, a letter first"
                self._say(key, f"expected {expected}, was `{key.text}`")
            feed = self._read_feed(key.text, value)
            if feed is not None:
                found[key.text] = feed
        return found

    def _read_feed(self, name: str, node: yaml.Node) -> Feed | None:
        """Return a feed without a mistake; keep as a draft what could be read of any other."""
        if not isinstance(node, yaml.Mapping):
            self._say(node, f"`{name}`: expected the keys of a feed, was {described(node)}")
            return None
        treatments = self._read_treatments(node.get("treatments"))
        common = self._options(_part(node, COMMON - {"treatments"}, True), FeedOptions, "a feed", ())
        found = self._door(name, node)
        folder, draft = Path(self.source.path).parent, common.options or common.nearly or FeedOptions()
        if found is None:
            feed = Feed(name, "", draft, _NO_DOOR, Options(), treatments, node, folder, common.unsure)
            self.drafts[name] = feed
            return None
        door_name, door = found
        owner = f"the door `{door_name}`"
        options = self._options(_part(node, COMMON, False), door.options, owner, sorted(COMMON))
        given = node.get("map")
        if given is not None and door.load_map is None:
            said = f"`map`: expected none, for the door `{door_name}` takes none, was {described(given)}"
            self._say(given, said)
        elif given is None and door.needs_map:
            self._say(node, f"`map`: expected one for the door `{door_name}`, was not given")
        if common.options is not None and options.options is not None:
            return Feed(name, door_name, common.options, door, options.options, treatments, node, folder)
        nearly = options.options or options.nearly
        if nearly is None:
            door, nearly = replace(_NO_DOOR, load_map=door.load_map, read_map=door.read_map), Options()
        unsure = common.unsure | options.unsure
        feed = Feed(name, door_name, draft, door, nearly, treatments, node, folder, unsure)
        self.drafts[name] = feed
        return None

    def _door(self, name: str, node: yaml.Mapping) -> tuple[str, Door[Any]] | None:
        given = node.get("door")
        if given is None:
            self._say(node, f"`door`: expected one of {_all(self.doors)} for `{name}`, was not given")
            return None
        door = self.doors.get(given.text) if isinstance(given, yaml.Scalar) else None
        if door is None or not isinstance(given, yaml.Scalar):
            hint = did_you_mean(given.text, self.doors) if isinstance(given, yaml.Scalar) else ""
            self._say(given, f"`door`: expected one of {_all(self.doors)}, was {described(given)}", hint)
            return None
        return given.text, door

    def _read_treatments(self, node: yaml.Node | None) -> dict[str, Asked]:
        """Return treatments as far as they could be read."""
        found: dict[str, Asked] = {}
        if node is None:
            return found
        if not isinstance(node, yaml.Mapping):
            said = f"`treatments`: expected treatments with their settings, was {described(node)}"
            self._say(node, said, "write each as `NAME: {}`, settings in the braces")
            return found
        meant = {closest(key.text, self.treatments) for key, _ in node}
        for key, value in node:
            treatment = self.treatments.get(key.text)
            if treatment is None:
                hint = did_you_mean(key.text, self.treatments)
                self._say(key, f"expected the name of a treatment, was `{key.text}`", hint)
                continue
            meant.add(key.text)
            missing = [table for table in treatment.tables if table not in {*self.files, *self.meant}]
            for table in missing:
                said = f"`{key.text}`: expected the table `{table}`, which it needs, was not given"
                self._say(key, said, f"add `tables: {{{table}: FILE}}` at the top of the file")
            options = self._options(value, treatment.options, f"the treatment `{key.text}`", ())
            given = options.options or options.nearly
            if given is not None:
                found[key.text] = Asked(treatment, given, options.unsure)
        settings = {name: asked.options for name, asked in found.items()}
        unsure = frozenset(key for asked in found.values() for key in asked.unsure)
        for key, _ in node:
            treatment = self.treatments.get(key.text)
            for name in treatment.needs if treatment is not None else ():
                if name not in meant:
                    self._say(key, f"`{key.text}`: expected the treatment `{name}` besides, was not given")
            wrong = treatment.asks(settings) if treatment is not None and key.text in found else ""
            if wrong and not mentions(wrong, unsure):
                self._say(key, f"`{key.text}`: {wrong}")
        return {name: found[name] for name in self.treatments if name in found}

    def _options(self, node: yaml.Node, kind: type[Some], owner: str, also: Iterable[str]) -> Read[Some]:
        found = read_options(self.source, node, kind, owner, also)
        self.problems += found.problems
        return found

    def _say(self, node: yaml.Node, message: str, hint: str = "") -> None:
        self.problems.append(problem(self.source, node, message, hint))


def _part(node: yaml.Mapping, names: frozenset[str], inside: bool) -> yaml.Mapping:
    """Return a mapping with those keys only that are among some names, or are not."""
    part = yaml.Mapping(node.start, node.end)
    part.entries = {name: entry for name, entry in node.entries.items() if (name in names) is inside}
    return part


def _all(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
