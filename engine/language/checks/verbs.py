"""R103, R104: a pattern opens with one verb."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Mapping, Node
from engine.language.suggest import closest, did_you_mean, one_of

CHECKS: Final = (
    Check(
        code="R103",
        meaning="a pattern without a verb that is known",
        bad="""
            when:
              hapens: call.out
            """,
        good="""
            when:
              happens: call.out
            """,
        advice="""
            A pattern starts with one of `happens`, `enters`, `leaves`, `stays_in`, `count`, `total`,
            `sequence`, `after`, `any_of`, `all_of`: see [patterns](../reference.md#patterns).
            """,
    ),
    Check(
        code="R104",
        meaning="a pattern with two verbs",
        bad="""
            when:
              enters: campus-north
              happens: call.out
            """,
        good="""
            when:
              all_of: [{enters: campus-north}, {happens: call.out}]
              within: 1h
            """,
        advice="""
            One mapping says one thing. List the parts under `any_of` (either), `all_of` (both, in any order)
            or `sequence` (one after the other), each with its own `{…}` or `-`.
            """,
    ),
)

COMPANIONS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "happens": ((), ("where", "unless")),
    "enters": ((), ("confirm", "resident")),
    "leaves": ((), ()),
    "stays_in": (("for",), ("resident",)),
    "count": (("at_least", "within"), ("where",)),
    "total": (("at_least", "within"), ("where",)),
    "sequence": (("within",), ()),
    "after": (("no", "for"), ()),
    "any_of": ((), ()),
    "all_of": (("within",), ()),
}
"""Verb -> (keys that must stand beside it, keys that may)."""

VERBS: Final = tuple(COMPANIONS)
_COMPANION_KEYS: Final = frozenset(key for pair in COMPANIONS.values() for keys in pair for key in keys)


def the_verb(report: Report, body: Mapping, owner: Node) -> str | None:
    """Return the one verb of a pattern; None after a report. `owner` is marked when there are two."""
    verbs = [key for key in body.entries if key in COMPANIONS]
    if len(verbs) == 1:
        return verbs[0]
    if verbs:
        listed = " and ".join(f"`{verb}`" for verb in verbs)
        hint = "to wait for both, list them under `all_of` or `sequence`"
        report.error("R104", owner, f"a pattern says one thing, but this says {listed}", hint)
        return None
    strange = [key for key, _ in body if key.text not in _COMPANION_KEYS]
    strange.sort(key=lambda key: closest(key.text, VERBS) is None)  # stable: the nearest slip first
    if strange:
        said = f"`{strange[0].text}` is not something a pattern can start with"
        report.error("R103", strange[0], said, did_you_mean(strange[0].text, VERBS))
    else:
        report.error("R103", owner, "this pattern does not say what it waits for", one_of(VERBS))
    return None
