"""What is checked of every map, whatever its values come from: kinds, names of fields, files."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from connectors.column_spec import WHOLE, ValueSpec
from connectors.map_values import wrong_values
from connectors.yaml_plain import Marked
from engine.errors import InputError
from engine.event_kinds import KINDS
from engine.field_checks import PERSONAL
from engine.language.suggest import closest
from engine.numbers import OPEN_DIGITS

MAPS = Path(__file__).resolve().parent / "maps"
SIZE_AT_MOST = 1 << 18
ENVELOPE = frozenset({"t", "t_start", "source", "imsi", "msisdn", "subscriber", "imei", "imeisv", "tac8"})
IDENTITY = ("imsi", "msisdn", "subscriber")
_TAKEN = frozenset({"kind", "id"})
"""Names of what every record has, whatever its map's fields and helpers."""

Fields = Mapping[str, Sequence[ValueSpec]]
"""Name -> the ways to its value."""
Map = TypeVar("Map", bound=BaseModel)
Spec = TypeVar("Spec", bound=ValueSpec)


class At(ValueError):
    """A mistake that more than one part of the map makes, with the way to the part where it shows."""

    def __init__(self, steps: tuple[str | int, ...], message: str) -> None:
        self.steps = steps
        super().__init__(message)


class Wrong(ValueError):
    """All such mistakes of a map."""

    def __init__(self, found: Iterable[At]) -> None:
        self.found = tuple(found)
        super().__init__("; ".join(map(str, self.found)))


def alternatives(value: Any) -> Any:
    """Return a list where there may be one, or a single thing: several ways to a value."""
    return value if isinstance(value, list | tuple) else [value]


def check_kinds(kinds: Collection[str]) -> None:
    """Raise ValueError for a kind that no feed may bring by a map."""
    for kind in kinds:
        if kind not in KINDS or KINDS[kind].group == "control":
            raise ValueError(f"expected a signaling or business kind, was {kind!r}")


def wrong_fields(
    kinds: Collection[str],
    fields: Mapping[str, Sequence[Spec]],
    helpers: Mapping[str, Sequence[Spec]],
    origin: str,
    place: Callable[[Spec], object],
) -> Iterator[At]:
    """Yield names that these kinds don't have, or that are missing, or used wrongly.

    `origin`: what values are read from, in a word: "column". `place`: which one of a way; None: none.
    """
    known = set(ENVELOPE)
    for kind in kinds:
        known.update(KINDS[kind].fields)
    slips = {closest(name, (*IDENTITY, "t")) for name in fields if name not in known}
    for name in fields:
        if name not in known:
            expected = f"expected a field of {', '.join(sorted(kinds))}"
            yield At(("fields", name), f"{expected}, was {name!r}")
    twice = set(fields) & set(helpers)
    if twice:
        shown = ", ".join(sorted(twice))
        yield At(("helpers", min(twice)), f"expected each name in fields or helpers, was in both: {shown}")
    both = {**fields, **helpers}
    named = {place(way): name for name, ways in both.items() if name in PERSONAL for way in ways}
    slots_fit = True
    for part, names in (("fields", fields), ("helpers", helpers)):
        for name, ways in names.items():
            wrong = [*_wrong_slots(name, ways, both, origin)]
            slots_fit = slots_fit and not wrong
            for said in (*wrong, *_wrong_identity(name, ways, named, origin, place)):
                yield At((part, name), said)
            for steps, said in wrong_values(name, ways, kinds if part == "fields" else ()):
                yield At((part, name, *steps), said)
    for name in _TAKEN & set(helpers):
        yield At(("helpers", name), f"expected another name for a helper, was {name}")
    if "t" not in fields and "t" not in slips:
        yield At(("fields", "t"), "expected field t of type time, was none")
    for name in ("t", "t_start"):
        if name in fields and slots_fit and not _is_time(name, both):
            yield At(("fields", name), f"expected field {name} of type time, was none")
    if not set(IDENTITY) & {*fields, *slips}:
        yield At(("fields",), "expected a field imsi, msisdn or subscriber, was none")


def _wrong_slots(name: str, ways: Sequence[ValueSpec], both: Fields, origin: str) -> Iterator[str]:
    plain = {name: ways for name, ways in both.items() if not any(way.slots for way in ways)}
    texts = [name for name, ways in both.items() if any(way.template is not None for way in ways)]
    for way in ways:
        for slot in way.slots:
            if slot not in both or slot in texts or (way.sum is not None and slot not in plain):
                also = "" if way.sum is not None else ", sums"
                yield f"expected {name} of {origin}s{also} and constants only, was {{{slot}}}"
        for slot in way.sum or ():
            if slot in plain and any(each.type not in WHOLE or each.divide for each in plain[slot]):
                yield f"expected whole numbers and times in sum, was {slot}"


def _wrong_identity(
    name: str,
    ways: Sequence[Spec],
    named: Mapping[object, str],
    origin: str,
    place: Callable[[Spec], object],
) -> Iterator[str]:
    """Let nothing but identity and the other party's number be made of a place that names a person."""
    for way in ways:
        taken, at = way.taken, place(way)
        is_short = taken is not None and taken.stop is not None and taken.stop - taken.start <= OPEN_DIGITS
        whose = named.get(at) if at is not None else None
        if whose is not None and name not in PERSONAL and name != "number" and not is_short:
            expected = f"expected {origin} {at} for {whose} only, or {OPEN_DIGITS} characters of it"
            yield f"{expected}, was {name}"
        if PERSONAL & set(way.slots):
            expected = "expected nothing that names a person in a template or sum"
            yield f"{expected}, was {min(PERSONAL & set(way.slots))}"


def _is_time(name: str, both: Fields) -> bool:
    """Say whether a field is a time in all its ways: read as one, or a sum that begins with one."""
    ways = both.get(name, ())
    return bool(ways) and all(
        way.type == "time" or (way.sum is not None and _is_time(next(iter(way.sum)), both)) for way in ways
    )


def map_names() -> list[str]:
    """Return the names of the maps that ship."""
    return sorted(found.stem for found in MAPS.glob("*.yaml"))


def find_map(name_or_path: str | Path) -> Path:
    """Return the file of a map of `connectors/maps`, by its name, or of any other, by its path (`.yaml`).

    Raises InputError if no map has this name.
    """
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml"):
        return path
    if str(name_or_path) not in map_names():
        expected = f"a .yaml file or one of the maps {', '.join(map_names())}"
        raise InputError("map", expected, str(name_or_path))
    return MAPS / f"{name_or_path}.yaml"


def read_marked(path: Path, what: str) -> Marked:
    """Return what a file holds; raise InputError if it can't be read, or is no YAML."""
    try:
        with path.open("rb") as stream:
            text = stream.read(SIZE_AT_MOST + 1)
    except OSError as error:
        raise InputError(str(path), f"{what} that can be read", error.strerror or str(error)) from None
    if len(text) > SIZE_AT_MOST:
        raise InputError(str(path), f"at most {SIZE_AT_MOST} bytes", "more")
    return Marked(path, text)


@dataclass(frozen=True, slots=True)
class MapFiles(Generic[Map]):
    """Files of one kind of map: `model` is what is in one, `what` its name."""

    model: type[Map]
    what: str
    of_messages: bool | None = None
    """By paths of messages, or by columns of rows; None: neither, it is no map of a feed."""

    def read(self, path: Path) -> tuple[Map | None, list[InputError]]:
        """Return a map, or None and all its mistakes, each with line and column where there is one.

        A map of the other kind is one mistake. Raises InputError if a file can't be read as YAML.
        """
        marked = read_marked(path, self.what)
        try:
            return self.model.model_validate(marked.data), []
        except ValidationError as error:
            found = error.errors(include_url=False)
        if self.of_messages is not None and is_other_map(path, of_messages=not self.of_messages):
            return None, [InputError(str(path), _KINDS[self.of_messages], _KINDS[not self.of_messages])]
        mistakes = [each for problem in found for each in _mistakes(marked, problem)]
        return None, mistakes + _of_the_rest(marked, self.model, found)

    def load(self, path: Path) -> Map:
        """Return a map as `read` does; raise InputError for its first mistake, and count all others."""
        found, mistakes = self.read(path)
        if found is not None:
            return found
        first = mistakes[0]
        if len(mistakes) > 1:
            more = f"{first.expected} (and {len(mistakes) - 1} more mistakes)"
            first = InputError(first.where, more, first.was)
        raise first


_KINDS = {True: "a field map, of messages", False: "a column map, of rows"}


def _of_the_rest(marked: Marked, model: type[BaseModel], found: list[Any]) -> list[InputError]:
    """Return what does not fit together in a map whose mistakes are `found`, the parts with them left out.

    Pydantic looks at that only once each part is right by itself. What may be wrong only for a part that is
    left out is not told.
    """
    if not isinstance(marked.data, dict) or not all(problem["loc"] for problem in found):
        return []
    bad = {_part(problem["loc"]) for problem in found}
    left = {key: value for key, value in _STAND_INS.items() if (key,) in bad and key in model.model_fields}
    left |= {
        key: {name: inner for name, inner in value.items() if (key, name) not in bad}
        if key in _PARTS and isinstance(value, dict)
        else value
        for key, value in marked.data.items()
        if (key,) not in bad
    }
    try:
        model.model_validate(left)
    except ValidationError as error:
        mistakes = [each for problem in error.errors(include_url=False) for each in _told(problem)]
    else:
        return []
    of_bad = re.compile("|".join(rf"\b{re.escape(part[-1])}\b" for part in bad))
    return [
        InputError(marked.where(steps), expected, was)
        for (expected, was), steps in mistakes
        if steps
        and not of_bad.search(f"{steps} {expected} {was}")
        and not (("kind",) in bad and expected.startswith("a field of "))
    ]


_STAND_INS: dict[str, Any] = {
    "map": "x",
    "source": "x",
    "kind": "loc.sight",
    "separator": "tab",
    "columns": {"at_least": "10000"},
}
"""Right values of what a map can't do without."""
_PARTS = ("fields", "helpers", "watch")


def _part(steps: Sequence[str | int]) -> tuple[str, ...]:
    """Return the part of a map that can be left out by itself: one field, or one key."""
    return tuple(map(str, steps[: 2 if steps[0] in _PARTS and len(steps) > 1 else 1]))


def is_field_map(name_or_path: str | Path) -> bool:
    """Say whether a map is a field map, of messages, rather than a column map: by what is in its file.

    Raises InputError if there is no such map, or its file can't be read as YAML.
    """
    columns, paths = _looks_at(find_map(name_or_path))
    return paths or not columns


def is_other_map(path: Path, *, of_messages: bool) -> bool:
    """Say whether a map that is none of one kind is one of the other: `of_messages`, or of rows."""
    try:
        columns, paths = _looks_at(path)
    except InputError:
        return False
    return (paths and not columns) if of_messages else (columns and not paths)


def _looks_at(path: Path) -> tuple[bool, bool]:
    """Say whether a map has what only a column map has, and what only a field map has."""
    data = read_marked(path, "a map").data
    if not isinstance(data, dict):
        return True, False
    # a map may have forgotten what it can't do without: where its values come from tells, too
    keys = {*_keys_of([data.get(part) for part in ("kind", "fields", "helpers")])}
    columns = not _OF_COLUMNS.isdisjoint(data) or "column" in keys
    return columns, "each" in data or not {"path", "present"}.isdisjoint(keys)


_OF_COLUMNS = frozenset({"columns", "separator", "header_lines", "watch", "layout"})


def _keys_of(node: Any) -> Iterator[str]:
    """Yield all keys within a part of a map."""
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _keys_of(inner)
    if isinstance(node, dict):
        yield from map(str, node)


def _mistakes(marked: Marked, problem: Any) -> list[InputError]:
    """Tell what pydantic found, in our words."""
    return [InputError(marked.where(steps), expected, was) for (expected, was), steps in _told(problem)]


def _told(problem: Any) -> Iterator[tuple[tuple[str, object], tuple[str | int, ...]]]:
    """Yield what was expected and what was, and the way to where it stands."""
    tags = ("<kind>", "<column>", "<value>", "<present>", "[key]")
    steps = tuple(step for step in problem["loc"] if step not in tags)
    if problem["type"] == "missing":
        yield ("a value", "nothing"), steps
    elif problem["type"] == "extra_forbidden":
        yield ("a known key", str(steps[-1])), steps
    elif problem["type"] == "value_error":
        cause = problem["ctx"]["error"]
        for each in cause.found if isinstance(cause, Wrong) else (cause,):
            expected, _, was = str(each).removeprefix("expected ").partition(", was ")
            yield (expected, was), steps + (each.steps if isinstance(each, At) else ())
    else:
        yield (problem["msg"].removeprefix("Input should be "), problem["input"]), steps
