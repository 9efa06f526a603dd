"""R302: `{placeholders}` in texts, typed by position.

`{product.name|price|reply}` always; `{place.name}` only if the pattern has a place, `{match.count}` a count,
`{match.total}` a total; `{event.FIELD}` of the record that completes the pattern (of `after`: that starts
the wait): each kind that may complete it must have the field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.event_kinds import KINDS, FieldDef
from engine.language.checks.code import Check
from engine.language.checks.events import measure_parts
from engine.language.checks.verbs import COMPANIONS
from engine.language.model import Product
from engine.language.report import Report
from engine.language.source import Mapping as MappingNode
from engine.language.source import Node, Scalar, Sequence
from engine.language.suggest import closest, did_you_mean, nearest, one_of

CHECKS: Final = (
    Check(
        code="R302",
        meaning="a placeholder that is not known in this rule, or a brace that opens none",
        bad="""
            when: {happens: call.out}
            offer:
              product: data-10g
              send:
                - {channel: sms, text: "【移动】您在{place.name}可用{product.name}。退订回R。"}
            """,
        good="""
            when: {enters: campuses}
            offer:
              product: data-10g
              send:
                - {channel: sms, text: "【移动】您在{place.name}可用{product.name}。退订回R。"}
            """,
        advice="""
            Take a placeholder that this rule can fill: `{product.name}`, `{product.price}` and
            `{product.reply}` (if the product has one) always, `{place.name}` if the pattern names a place,
            `{match.count}` of a `count`, `{match.total}` of a `total`, `{event.FIELD}` of the record that
            completes the pattern. See [messages](../reference.md#messages). The braces are those of a plain
            keyboard: `｛product.name｝` would be sent as it stands.
            """,
    ),
)

_OPEN: Final = "{｛﹛︷"
_CLOSE: Final = "}｝﹜︸"
_BRACES: Final = frozenset(_OPEN + _CLOSE)
"""Braces, and what an input method for Chinese writes instead: those are sent as they stand."""
_BRACED = re.compile(rf"[{_OPEN}][^{_OPEN}{_CLOSE}]*[{_CLOSE}]|[{_OPEN}{_CLOSE}]")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pattern can tell a text.

    `fields`: of the record that completes it; None if that can't be known because the pattern has mistakes,
    which are reported elsewhere.
    """

    place: bool = False
    count: bool = False
    total: bool = False
    fields: Mapping[str, FieldDef] | None = None

    def names(self, product: Product | None) -> list[str]:
        """List the placeholders there are."""
        found = ["product.name", "product.price"]
        if product is None or product.reply:
            found.append("product.reply")
        found += [name for name, there in (
            ("place.name", self.place), ("match.count", self.count), ("match.total", self.total)
        ) if there]  # fmt: skip
        return found + [f"event.{name}" for name in self.fields or ()]


ANYTHING: Final = Scope(True, True, True, None)
"""The scope of a pattern that could not be read."""


def scope_of(node: Node | None) -> Scope:
    """Find what the pattern in a node offers to texts. Lenient: works on broken patterns too."""
    if not isinstance(node, MappingNode):
        return ANYTHING
    verbs = [verb for verb in node.entries if verb in COMPANIONS]
    if not verbs:
        return ANYTHING
    return _merge((_scope_of_verb(node, verb) for verb in verbs), any, _union)


def _scope_of_verb(node: MappingNode, verb: str) -> Scope:
    value = node.entries[verb][1]
    if verb in ("enters", "leaves", "stays_in"):
        return Scope(place=True, fields={})
    if verb in ("happens", "count", "total"):
        text = value.text if isinstance(value, Scalar) else ""
        kind = measure_parts(text)[0] if verb == "total" else text
        fields = None
        if kind in KINDS:  # derived fields stand in no record, so a text can't quote them
            fields = {name: spec for name, spec in KINDS[kind].fields.items() if spec.type != "set"}
        return Scope(_tests_place(node.get("where")), verb == "count", verb == "total", fields)
    if verb == "after":  # a timer completes it, and what it quotes is the record that armed the timer
        return scope_of(value)
    parts = [scope_of(item) for item in value.items] if isinstance(value, Sequence) else []
    if not parts:
        return ANYTHING
    if verb == "any_of":
        return _merge(parts, all, _intersection)
    if verb == "all_of":
        return _merge(parts, any, _intersection)
    whole = _merge(parts, any, _union)
    return Scope(whole.place, whole.count, whole.total, parts[-1].fields)


def _tests_place(where: Node | None) -> bool:
    line = where.get("place") if isinstance(where, MappingNode) else None
    return line is not None and not (isinstance(line, Scalar) and line.text.startswith("not "))


Fields = Mapping[str, FieldDef] | None


def _merge(
    scopes: Iterable[Scope], judge: Callable[[Iterable[bool]], bool], join: Callable[[list[Fields]], Fields]
) -> Scope:
    found = list(scopes)
    return Scope(
        judge(scope.place for scope in found),
        judge(scope.count for scope in found),
        judge(scope.total for scope in found),
        join([scope.fields for scope in found]),
    )


def _union(parts: list[Fields]) -> Fields:
    if any(part is None for part in parts):
        return None
    return {name: spec for part in parts if part is not None for name, spec in part.items()}


def _intersection(parts: list[Fields]) -> Fields:
    known = [part for part in parts if part is not None]
    if not known:
        return None
    return {name: spec for name, spec in known[0].items() if all(name in part for part in known)}


def check_placeholders(report: Report, node: Node | None, scope: Scope, product: Product | None) -> None:
    """Report every placeholder of a text that this rule can't fill."""
    if not isinstance(node, Scalar) or _BRACES.isdisjoint(node.text):
        return
    known = scope.names(product)
    for found in _BRACED.finditer(node.text):
        part = found[0]
        nth = node.text.count(part, 0, found.start())
        name = part[1:-1]
        if part[0] not in "{}" or part[-1] not in "{}":
            said = f"`{part}` has a wide brace, which opens or closes no placeholder"
            near = closest(name.strip(), known)
            hint = f"did you mean `{{{near}}}`?" if near else _EXAMPLE
            report.error_inside("R302", node, part, nth, said, hint)
        elif len(part) == 1:
            report.error_inside("R302", node, part, nth, f"this `{part}` belongs to no placeholder", _EXAMPLE)
        elif name not in known and not (scope.fields is None and name.startswith("event.")):
            said = f"`{part}` is not known in this rule"
            report.error_inside("R302", node, part, nth, said, _hint(name, known))


_EXAMPLE: Final = "a placeholder is written `{product.name}`"


def _hint(name: str, known: list[str]) -> str:
    """Name the nearest placeholder; else list all but the many fields of the event."""
    prefix, dot, field = name.partition(".")
    if dot and any(each.startswith(prefix + dot) for each in known):  # what they share makes none alike
        near = nearest(
            field, [each.removeprefix(prefix + dot) for each in known if each.startswith(prefix + dot)]
        )
        if near:
            return did_you_mean(f"{prefix}.{near[0]}", [f"{prefix}.{each}" for each in near])
    elif closest(name, known) is not None:
        return did_you_mean(name, known)
    return one_of(each for each in known if not each.startswith("event."))
