"""A feeds file in, feeds out: every mistake with its place, none hides another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from connectors.door import COMMON, Door
from connectors.doors import DOORS
from engine.deployment.feeds.model import Feed, FeedOptions, Feeds, TableFile
from engine.deployment.feeds.tables import TABLES, Table
from engine.errors import InputError
from engine.language import source as yaml
from engine.language.problems import Problem
from engine.language.suggest import did_you_mean
from engine.options import Options, described, problem, read_options
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
            self._read_tables(root.get("tables"))
            feeds = self._read_feeds(root)
        problems = tuple(sorted(self.problems, key=lambda found: found.order))
        return Feeds(self.source, feeds, self.files, problems)

    def _read_tables(self, node: yaml.Node | None) -> None:
        if node is None:
            return
        if not isinstance(node, yaml.Mapping):
            self._say(node, f"`tables`: expected names of tables with their files, was {described(node)}")
            return
        for key, value in node:
            if key.text not in self.tables:
                known = "; ".join(self.tables) or "none is known"
                said = f"expected the name of a table, was `{key.text}`"
                self._say(key, said, did_you_mean(key.text, self.tables) or known)
            elif not isinstance(value, yaml.Scalar) or not value.text:
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
        if not isinstance(node, yaml.Mapping):
            self._say(node, f"`{name}`: expected the keys of a feed, was {described(node)}")
            return None
        treatments = self._read_treatments(node.get("treatments"))
        common = self._options(_part(node, COMMON - {"treatments"}, True), FeedOptions, "a feed", ())
        door = self._door(name, node)
        if door is None:
            return None
        also = sorted(COMMON)
        options = self._options(_part(node, COMMON, False), door[1].options, f"the door `{door[0]}`", also)
        given = node.get("map")
        if given is not None and door[1].load_map is None:
            self._say(
                given, f"`map`: expected none, for the door `{door[0]}` takes none, was {described(given)}"
            )
        elif given is None and door[1].needs_map:
            self._say(node, f"`map`: expected one for the door `{door[0]}`, was not given")
        if common is None or options is None:
            return None
        return Feed(name, door[0], common, door[1], options, treatments, node, Path(self.source.path).parent)

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
        found: dict[str, Asked] = {}
        if node is None:
            return found
        if not isinstance(node, yaml.Mapping):
            said = f"`treatments`: expected treatments with their settings, was {described(node)}"
            self._say(node, said, "write each as `NAME: {}`, settings in the braces")
            return found
        for key, value in node:
            treatment = self.treatments.get(key.text)
            if treatment is None:
                hint = did_you_mean(key.text, self.treatments)
                self._say(key, f"expected the name of a treatment, was `{key.text}`", hint)
                continue
            missing = [table for table in treatment.tables if table not in self.files]
            for table in missing:
                said = f"`{key.text}`: expected the table `{table}`, which it needs, was not given"
                self._say(key, said, f"add `tables: {{{table}: FILE}}` at the top of the file")
            options = self._options(value, treatment.options, f"the treatment `{key.text}`", ())
            if options is not None:
                found[key.text] = Asked(treatment, options)
        for key, _ in node:
            for name in found[key.text].treatment.needs if key.text in found else ():
                if name not in found:
                    self._say(key, f"`{key.text}`: expected the treatment `{name}` besides, was not given")
        given = {name: asked.options for name, asked in found.items()}
        for key, _ in node:
            wrong = found[key.text].treatment.asks(given) if key.text in found else ""
            if wrong:
                self._say(key, f"`{key.text}`: {wrong}")
        return {name: found[name] for name in self.treatments if name in found}

    def _options(self, node: yaml.Node, kind: type[Some], owner: str, also: Iterable[str]) -> Some | None:
        options, problems = read_options(self.source, node, kind, owner, also)
        self.problems += problems
        return options

    def _say(self, node: yaml.Node, message: str, hint: str = "") -> None:
        self.problems.append(problem(self.source, node, message, hint))


def _part(node: yaml.Mapping, names: frozenset[str], inside: bool) -> yaml.Mapping:
    """Return a mapping with those keys only that are among some names, or are not."""
    part = yaml.Mapping(node.start, node.end)
    part.entries = {name: entry for name, entry in node.entries.items() if (name in names) is inside}
    return part


def _all(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
