"""Options out of a YAML file: of feeds, their doors and treatments. Every mistake is told with its place.

An options class declares each key with `option`: its default, what is expected, what it means. From these
come the messages (`feeds.yaml:7:13: expected X, was Y`), the hints for near misses and the page of the docs.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined
from pydantic_core.core_schema import ValidationInfo

from engine.errors import shorten
from engine.event_kinds import KINDS
from engine.language import words
from engine.language.problems import Problem
from engine.language.source import Mapping, Node, Scalar, Sequence, Source, plain
from engine.language.suggest import did_you_mean

REQUIRED: Final = PydanticUndefined
"""Default of a key that has to be given."""


class Options(BaseModel):
    """Base of options: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Some = TypeVar("Some", bound=Options)


def option(default: Any, expected: str, meaning: str, **bounds: Any) -> Any:
    """Declare a key; `expected` completes "expected …" in messages, `meaning` stands in the docs."""
    return Field(default=default, description=meaning, json_schema_extra={"expected": expected}, **bounds)


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
) -> tuple[Some | None, list[Problem]]:
    """Return the options that a mapping holds, or None and all that is wrong with it.

    `owner`: whose keys they are, for messages: "the landing door". `also`: keys known beside those of the
    class, for hints.
    """
    if isinstance(node, Scalar) and not node.text.strip():
        given: Any = {}
    elif isinstance(node, Mapping):
        given = plain(node)
    else:
        return None, [problem(source, node, f"expected keys of {owner}, was {described(node)}")]
    try:
        return kind.model_validate(given, context={"folder": Path(source.path).parent}), []
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, [_problem(source, node, kind, owner, detail, also) for detail in details]


def problem(source: Source, node: Node, message: str, hint: str = "") -> Problem:
    """Return a problem at a node."""
    return source.problem("", node, message, hint)


def described(node: Node) -> str:
    """Say what a node holds."""
    if isinstance(node, Scalar):
        return f"`{node.text}`" if node.text else "nothing"
    return "a list" if isinstance(node, Sequence) else "a mapping"


def _problem(
    source: Source, root: Node, kind: type[Options], owner: str, detail: ErrorDetails, also: Iterable[str]
) -> Problem:
    """Tell one mistake that pydantic found, at its place in the file."""
    node, key, field, known = _walk(root, kind, detail["loc"])
    sort, name = detail["type"], str(detail["loc"][-1]) if detail["loc"] else ""
    if sort == "extra_forbidden":
        said = f"expected a key of {owner}, was `{name}`"
        return problem(source, key or node, said, did_you_mean(name, [*known, *also]))
    expected = "" if field is None else expected_of(field)
    if sort == "missing":
        return problem(source, node, f"`{name}`: expected {expected or 'a value'}, was not given")
    raised = (detail.get("ctx") or {}).get("error")
    hint = raised.hint if isinstance(raised, words.Unreadable) else ""
    said = str(raised) if sort == "value_error" else ""
    if said.startswith("expected "):
        return problem(source, node, f"`{name}`: {said}" if name else said, hint)
    was = described(node) if isinstance(node, Scalar | Sequence | Mapping) else shorten(detail["input"])
    expected = expected or detail["msg"].removeprefix("Input should be ")
    return problem(source, node, f"`{name}`: expected {expected}, was {was}", hint)


def _walk(
    root: Node, kind: type[Options], steps: tuple[int | str, ...]
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
