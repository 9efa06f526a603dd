"""What is checked of every map, whatever its values come from: kinds, names of fields, files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from connectors.column_spec import WHOLE, ValueSpec
from connectors.yaml_plain import Marked
from engine.errors import InputError
from engine.event_kinds import KINDS
from engine.field_checks import PERSONAL
from engine.numbers import OPEN_DIGITS

MAPS = Path(__file__).resolve().parent / "maps"
SIZE_AT_MOST = 1 << 18
ENVELOPE = frozenset({"t", "t_start", "source", "imsi", "msisdn", "subscriber", "imei", "imeisv", "tac8"})
IDENTITY = ("imsi", "msisdn", "subscriber")

Fields = Mapping[str, Sequence[ValueSpec]]
"""Name -> the ways to its value."""
Map = TypeVar("Map", bound=BaseModel)
Spec = TypeVar("Spec", bound=ValueSpec)


class At(ValueError):
    """A mistake that more than one part of the map makes, with the way to the part where it shows."""

    def __init__(self, steps: tuple[str, ...], message: str) -> None:
        self.steps = steps
        super().__init__(message)


def alternatives(value: Any) -> Any:
    """Return a list where there may be one, or a single thing: several ways to a value."""
    return value if isinstance(value, list | tuple) else [value]


def check_kinds(kinds: Collection[str]) -> None:
    """Raise ValueError for a kind that no feed may bring by a map."""
    for kind in kinds:
        if kind not in KINDS or KINDS[kind].group == "control":
            raise ValueError(f"expected a signaling or business kind, was {kind!r}")


def check_fields(
    kinds: Collection[str],
    fields: Mapping[str, Sequence[Spec]],
    helpers: Mapping[str, Sequence[Spec]],
    origin: str,
    place: Callable[[Spec], object],
) -> None:
    """Raise ValueError for names that these kinds don't have, or that are missing, or used wrongly.

    `origin`: what values are read from, in a word: "column". `place`: which one of a way; None: none.
    """
    known = set(ENVELOPE)
    for kind in kinds:
        known.update(KINDS[kind].fields)
    for name in fields:
        if name not in known:
            expected = f"expected a field of {', '.join(sorted(kinds))}"
            raise At(("fields", name), f"{expected}, was {name!r}")
    twice = set(fields) & set(helpers)
    if twice:
        shown = ", ".join(sorted(twice))
        raise At(("helpers", min(twice)), f"expected each name in fields or helpers, was in both: {shown}")
    both = {**fields, **helpers}
    named = {place(way): name for name, ways in both.items() if name in PERSONAL for way in ways}
    for part, names in (("fields", fields), ("helpers", helpers)):
        for name, ways in names.items():
            try:
                _check_slots(name, ways, both, origin)
                _check_identity(name, ways, named, origin, place)
            except ValueError as error:
                raise At((part, name), str(error)) from None
    if not _is_time("t", both):
        raise At(("fields", "t"), "expected field t of type time, was none")
    if not set(IDENTITY) & set(fields):
        raise At(("fields",), "expected a field imsi, msisdn or subscriber, was none")


def _check_slots(name: str, ways: Sequence[ValueSpec], both: Fields, origin: str) -> None:
    plain = {name: ways for name, ways in both.items() if not any(way.slots for way in ways)}
    texts = [name for name, ways in both.items() if any(way.template is not None for way in ways)]
    for way in ways:
        for slot in way.slots:
            if slot not in both or slot in texts or (way.sum is not None and slot not in plain):
                also = "" if way.sum is not None else ", sums"
                raise ValueError(f"expected {name} of {origin}s{also} and constants only, was {{{slot}}}")
        for slot in way.sum or ():
            if any(each.type not in WHOLE or each.divide for each in plain[slot]):
                raise ValueError(f"expected whole numbers and times in sum, was {slot}")


def _check_identity(
    name: str,
    ways: Sequence[Spec],
    named: Mapping[object, str],
    origin: str,
    place: Callable[[Spec], object],
) -> None:
    """Let nothing but identity and the other party's number be made of a place that names a person."""
    for way in ways:
        taken, at = way.taken, place(way)
        is_short = taken is not None and taken.stop is not None and taken.stop - taken.start <= OPEN_DIGITS
        whose = named.get(at) if at is not None else None
        if whose is not None and name not in PERSONAL and name != "number" and not is_short:
            expected = f"expected {origin} {at} for {whose} only, or {OPEN_DIGITS} characters of it"
            raise ValueError(f"{expected}, was {name}")
        if PERSONAL & set(way.slots):
            expected = "expected nothing that names a person in a template or sum"
            raise ValueError(f"{expected}, was {min(PERSONAL & set(way.slots))}")


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
    return Marked(path, text, what)


def read_checked(path: Path, model: type[Map], what: str) -> tuple[Map | None, list[InputError]]:
    """Return a map, or None and all mistakes that can be told at once, each with line and column."""
    marked = read_marked(path, what)
    try:
        return model.model_validate(marked.data), []
    except ValidationError as error:
        return None, [_mistake(marked, problem) for problem in error.errors(include_url=False)]


def load_checked(path: Path, model: type[Map], what: str) -> Map:
    """Return a map; raise InputError for its first mistake, which says how many more there are."""
    found, problems = read_checked(path, model, what)
    if found is not None:
        return found
    first = problems[0]
    if len(problems) > 1:
        first = InputError(
            first.where, f"{first.expected} (and {len(problems) - 1} more mistakes)", first.was
        )
    raise first


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


def _mistake(marked: Marked, problem: Any) -> InputError:
    """Tell one mistake in our words."""
    tags = ("<kind>", "<column>", "<value>", "<present>", "[key]")
    steps = [step for step in problem["loc"] if step not in tags]
    was: object = problem["input"]
    if problem["type"] == "missing":
        expected, was = "a value", "nothing"
    elif problem["type"] == "extra_forbidden":
        expected, was = "a known key", str(steps[-1])
    elif problem["type"] == "value_error":
        cause = problem["ctx"]["error"]
        steps += cause.steps if isinstance(cause, At) else ()
        expected, _, was = problem["msg"].removeprefix("Value error, expected ").partition(", was ")
    else:
        expected = problem["msg"].removeprefix("Input should be ")
    return InputError(marked.where(steps), expected, was)
