"""Options out of a YAML file: of feeds, their doors and treatments. Every mistake is told with its place.

An options class declares each key with `option`: its default, what is expected, what it means. From these
come the messages (`feeds.yaml:7:13: expected X, was Y`), the hints for near misses and the page of the docs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Given
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Generic, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined
from pydantic_core.core_schema import ValidationInfo

from engine.errors import shorten
from engine.event_kinds import KINDS
from engine.language import words
from engine.language.problems import Problem
from engine.language.source import Mapping, Node, Scalar, Sequence, Source, plain
from engine.language.suggest import closest, did_you_mean

REQUIRED: Final = PydanticUndefined
"""Default of a key that has to be given."""


class Several(ValueError):
    """What does not fit together, all of it: each `expected X, was Y`."""

    def __init__(self, found: Iterable[str]) -> None:
        self.found = tuple(found)
        super().__init__("; ".join(self.found))


class Options(BaseModel):
    """Base of options: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def wrong(self) -> Iterator[str]:
        """Yield what does not fit together though each key is right by itself: `expected X, was Y`."""
        yield from ()

    @model_validator(mode="after")
    def _together(self, info: ValidationInfo) -> Self:
        found = () if (info.context or {}).get("nearly") else tuple(self.wrong())
        if found:
            raise Several(found)
        return self


Some = TypeVar("Some", bound=Options)


@dataclass(frozen=True, slots=True)
class Read(Generic[Some]):
    """Options as read, and all that is wrong with them."""

    options: Some | None
    """None: they have mistakes."""
    nearly: Some | None
    """With mistakes: what else there is, keys in `unsure` as if they had not been given."""
    unsure: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


def option(default: Any, expected: str, meaning: str, *, stand_in: Any = None, **bounds: Any) -> Any:
    """Declare a key; `expected` completes "expected …" in messages, `meaning` stands in the docs.

    `stand_in`: a right value of a key that has to be given, to look at all others where it is wrong.
    """
    extra = {"expected": expected, "stand_in": stand_in}
    return Field(default=default, description=meaning, json_schema_extra=extra, **bounds)


def expected_of(field: FieldInfo) -> str:
    """Say what a key has to be, to follow "expected"; empty: it was not declared by `option`."""
    extra = field.json_schema_extra
    return str(extra.get("expected", "")) if isinstance(extra, dict) else ""


def _duration(value: Any) -> Any:
    return words.duration(value) if isinstance(value, str) else value


def _yes_no(value: Any) -> Any:
    return words.yes_no(value) if isinstance(value, str) else value


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return path if folder is None else Path(folder) / path


def _kinds(names: Iterable[str]) -> frozenset[str]:
    found = frozenset(names)
    for kind in sorted(found):
        if kind not in KINDS or KINDS[kind].group == "control":
            offered = [name for name, spec in KINDS.items() if spec.group != "control"]
            raise words.Unreadable(
                f"expected kinds of the network or of business, was `{kind}`", did_you_mean(kind, offered)
            )
    return found


Duration = Annotated[int, BeforeValidator(_duration)]
"""A length of time as in rules, `5m`, `1h30m`; µs."""
YesNo = Annotated[bool, BeforeValidator(_yes_no)]
"""`yes` or `no`."""
Place = Annotated[Path, AfterValidator(_beside_the_file)]
"""A file or folder; a relative one begins at the folder of the YAML file."""
Kinds = Annotated[frozenset[str], AfterValidator(_kinds)]
"""A list of kinds of records, none of our own control."""


def read_options(
    source: Source, node: Node, kind: type[Some], owner: str, also: Iterable[str] = ()
) -> Read[Some]:
    """Return the options that a mapping holds, and all that is wrong with it: no mistake hides another.

    `owner`: whose keys they are, for messages: "the landing door". `also`: keys known beside those of the
    class, for hints.
    """
    if isinstance(node, Scalar) and not node.text.strip():
        given: Any = {}
    elif isinstance(node, Mapping):
        given = plain(node)
    else:
        said = f"expected keys of {owner}, was {described(node)}"
        return Read(None, None, frozenset(), (problem(source, node, said),))
    folder = Path(source.path).parent
    try:
        return Read(kind.model_validate(given, context={"folder": folder}), None)
    except ValidationError as error:
        details = error.errors(include_url=False)
    problems = [each for detail in details for each in _problems(source, node, kind, owner, detail, also)]
    nearly, unsure, wrong = _without(kind, given, details, folder)
    for steps, said in wrong:
        problems.append(_at(source, _walk(node, kind, steps)[0], steps, said))
    return Read(None, nearly, unsure, tuple(problems))


def mentions(said: str, names: Iterable[str]) -> bool:
    """Say whether a message is about one of these keys: it may be true only because that key is wrong."""
    return any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said) for name in names)


Steps = tuple[int | str, ...]


def _without(
    kind: type[Some], given: Given[str, Any], details: list[ErrorDetails], folder: Path
) -> tuple[Some | None, frozenset[str], list[tuple[Steps, str]]]:
    """Read what is left without the keys that are wrong; return it, these keys, and what is wrong in it.

    Keys that don't fit together are looked at only once each is right, so they are looked at here.
    """
    known = kind.model_fields
    bad = {str(detail["loc"][0]) for detail in details if detail["loc"]}
    left = {name: value for name, value in given.items() if name not in bad}
    wrong: list[tuple[Steps, str]] = []
    for name in bad & known.keys():
        inner = _model_in(known[name].annotation)
        if inner is not None and isinstance(given.get(name), dict):
            below = [
                ErrorDetails(**{**detail, "loc": detail["loc"][1:]})
                for detail in details
                if detail["loc"] and detail["loc"][0] == name
            ]
            found, _, more = _without(inner, given[name], below, folder)
            wrong += [((name, *steps), said) for steps, said in more]
            if found is not None:
                left[name] = found
                bad = bad - {name}
                continue
        extra = known[name].json_schema_extra
        if known[name].is_required() and isinstance(extra, dict):
            left[name] = extra.get("stand_in")
    meant = {closest(name, known) for name in bad - known.keys()} - {None}
    unsure = frozenset(bad | {str(name) for name in meant})
    try:
        nearly = kind.model_validate(left, context={"folder": folder, "nearly": True})
    except ValidationError:
        return None, unsure, wrong
    if any(detail["loc"] for detail in details):  # else pydantic came as far as that
        wrong += [((), said) for said in nearly.wrong() if not mentions(said, unsure)]
    return nearly, unsure, wrong


def problem(source: Source, node: Node, message: str, hint: str = "") -> Problem:
    """Return a problem at a node."""
    return source.problem("", node, message, hint)


def described(node: Node) -> str:
    """Say what a node holds."""
    if isinstance(node, Scalar):
        return f"`{node.text}`" if node.text else "nothing"
    return "a list" if isinstance(node, Sequence) else "a mapping"


def _at(source: Source, node: Node, steps: Steps, said: str, hint: str = "") -> Problem:
    return problem(source, node, f"`{steps[-1]}`: {said}" if steps else said, hint)


def _problems(
    source: Source, root: Node, kind: type[Options], owner: str, detail: ErrorDetails, also: Iterable[str]
) -> Iterator[Problem]:
    """Tell what pydantic found, at its place in the file."""
    node, key, field, known = _walk(root, kind, detail["loc"])
    sort, name = detail["type"], str(detail["loc"][-1]) if detail["loc"] else ""
    raised = (detail.get("ctx") or {}).get("error")
    if isinstance(raised, Several):
        yield from (_at(source, node, detail["loc"], said) for said in raised.found)
        return
    if sort == "extra_forbidden":
        said = f"expected a key of {owner}, was `{name}`"
        yield problem(source, key or node, said, did_you_mean(name, [*known, *also]))
        return
    expected = "" if field is None else expected_of(field)
    if sort == "missing":
        yield problem(source, node, f"`{name}`: expected {expected or 'a value'}, was not given")
        return
    hint = raised.hint if isinstance(raised, words.Unreadable) else ""
    said = str(raised) if sort == "value_error" else ""
    if said.startswith("expected "):
        yield _at(source, node, detail["loc"], said, hint)
        return
    was = described(node) if isinstance(node, Scalar | Sequence | Mapping) else shorten(detail["input"])
    expected = expected or detail["msg"].removeprefix("Input should be ")
    yield problem(source, node, f"`{name}`: expected {expected}, was {was}", hint)


def _walk(
    root: Node, kind: type[Options], steps: Steps
) -> tuple[Node, Node | None, FieldInfo | None, list[str]]:
    """Follow the place of a mistake: its node, its key, how it is declared, the keys known beside it.

    Steps that are not in the file (a key that is missing, a branch of a union) are passed over.
    """
    node, key, field = root, None, None
    model: type[Options] | None = kind
    known: list[str] = []
    for step in steps:
        if model is not None:
            known = list(model.model_fields)
            field = model.model_fields.get(str(step))
        if isinstance(node, Mapping) and str(step) in node.entries:
            key, node = node.entries[str(step)]
            model = None if field is None else _model_in(field.annotation)
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            key, node = None, node.items[step]
            model = None if field is None else _model_in(field.annotation)
    return node, key, field, known


def _model_in(annotation: Any) -> type[Options] | None:
    """Return the options class that an annotation names, bare or inside of a list or `| None`."""
    if isinstance(annotation, type) and issubclass(annotation, Options):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
