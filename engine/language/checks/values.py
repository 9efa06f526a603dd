"""R208: values that a field never has: outside its closed list, or not one value as they are written."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from unicodedata import category

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node, Scalar
from engine.language.suggest import did_you_mean, slips
from engine.language.unseen import name_of, unseen

CHECKS: Final = (
    Check(
        code="R208",
        meaning="a value that its field never has",
        bad="who: {brand: MZone}",
        good="who: {brand: M-Zone}",
        advice="""
            Take a value that the hint proposes, or add it to the field in `catalog/fields.yaml` if profiles
            really bring it. Text is compared exactly: `Gold` is never `gold`.

            A field without a list, such as a set of tags, may have any value; there a text that holds a
            comma, a quote, a bracket or a character that nobody sees is no value but a slip: under `except`
            it would bar nobody. Write several values as a list, `[do-not-disturb, complained-90d]`. A text
            that does hold a comma or an `or` is written in quotes.

            Of records some fields have known words: countries, networks, flags of the collector. Feeds may
            bring others, so that another word there is a warning.
            """,
    ),
)


def never(
    report: Report, node: Node, field: str, value: str, values: Collection[str], *, known: bool = False
) -> None:
    """R208: a test that no value of the field can pass; a warning if `values` are just the known ones."""
    several = [part for part in _BETWEEN.split(value) if part]
    hint = did_you_mean(value, values)
    other = value.lstrip("!=<>≠ ")
    if value[:1] in "!<≠" and other in values:
        hint = f"did you mean `not {other}`?"
    if len(several) > 1 and set(several) <= set(values):
        hint = f"write several as a list: `[{', '.join(several)}]`"
        if isinstance(node, Scalar) and node.text != value:  # not A, B
            hint = NOT_WANTED
    if known:
        report.warn("R208", node, f"`{field}` is not known to be `{value}` in any record", hint)
    else:
        report.error("R208", node, f"`{field}` is never `{value}`", hint)


NOT_WANTED: Final = "lists of what is not wanted go under `except` or `unless`"
NOT: Final = "not"
LIKE_NOT: Final = (
    "dot",
    "got",
    "hot",
    "jot",
    "knot",
    "lot",
    "net",
    "no",
    "nod",
    "nor",
    "note",
    "now",
    "nut",
    "pot",
)
_BETWEEN: Final = re.compile(r" (?:or|and) |[\s,，、;；/|]+")
_MARKS: Final = ",，、､;；|｜"
_JOINED: Final = re.compile(r"\s+(?:or|and|&&|或|和)\s+", re.IGNORECASE)
_EITHER: Final = re.compile(r"\s+(?:or|或)\s+", re.IGNORECASE)
_PARTS: Final = re.compile(rf"[{_MARKS}\n]|{_JOINED.pattern}", re.IGNORECASE)
_QUOTES: Final = '"“”„‟«»「」『』＂'
_SINGLE: Final = "'‘’‚‛＇"
"""These are apostrophes, too, inside a word."""
_BRACKETS: Final = "[]{}【】［］｛｝"
_DASHES: Final = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-")
NEVER_IN_SETS: Final = "".join(
    (_MARKS, _QUOTES, _BRACKETS, *_DASHES, "\u00a0\u3000\u200b\u2060\ufeff\u202a\u202b\u202c\u202d\u202e")
)
"""Characters that make a value of a set a slip wherever they stand in it: what an editor can tell."""
_HYPHENS: Final = "\u2010\u2011"
"""They look like `-` in every typeface."""


def check_open(report: Report, node: Scalar, field: str, type: str, value: str) -> bool:
    """R208: a value that is compared as it stands, of a field without a list, could be one; True if so.

    `value`: without the `not` before it. A text in quotes may hold what else parts values; a set's may not,
    because a line of `except` with two tags taken for one bars nobody.
    """
    quoted = is_quoted(report, node)
    first, _, rest = value.partition(" ")
    if rest and not quoted and node.text == value and is_like_not(first):
        hint = f"did you mean `not {rest.strip()}`? quote it if it is one value"
        report.error("R208", node, f"`{field}`: `{value}` is taken as one value", hint)
        return False
    said = _oddity(value, type == "set", quoted)
    if not said:
        return True
    parts = [word for part in _PARTS.split(value) if (word := _cleaned(part))]
    several = ", ".join(parts)
    if len(parts) > 1 and value != node.text:
        hint = NOT_WANTED
    elif len(parts) > 1:
        hint = f"write several as a list: `[{several}]`"
        if not quoted and (type == "text" or not any(mark in value for mark in _MARKS)):
            hint += "; quote it if it is one value"
    else:
        hint = f"did you mean `{several}`?" if several else ""
    report.error("R208", node, f"`{field}`: {said}", hint)
    return False


def is_quoted(report: Report, node: Scalar) -> bool:
    """Tell whether a text stands in quotes."""
    return report.source.text[node.start.index : node.start.index + 1] in ("'", '"')


def is_like_not(word: str) -> bool:
    """Tell whether a word is a slip of `not`, and not one that a value may well begin with."""
    plain = word.casefold()
    if plain == NOT:
        return True
    return word == plain and word not in LIKE_NOT and slips(word, NOT, 1) == 1


def _oddity(value: str, is_set: bool, quoted: bool) -> str:
    """Say why a text is no value; nothing if it may be one."""
    blank = next((c for c in value if c != " " and (c in "\t\n" or category(c) == "Zs")), None)
    hidden = next((char for _, char in unseen(value)), blank)
    if hidden is not None:
        name = "a line break" if hidden == "\n" else "a tab" if hidden == "\t" else name_of(hidden)
        return f"`{value}` holds {name}, which is taken as part of the value"
    if value != value.strip():
        return f"`{value}` starts or ends with a space, which is taken as part of the value"
    ends = value[0] + value[-1]
    curly = _QUOTES[1:]
    if (
        any(quote in value for quote in (_QUOTES if is_set else ""))
        or ends[0] in curly
        or ends[1] in curly
        or (ends[0] in _QUOTES + _SINGLE and ends[1] in _QUOTES + _SINGLE)
    ):
        return f"the quotes in `{value}` are taken as part of the value"
    whole = ends[0] in _BRACKETS and ends[1] in _BRACKETS
    if whole or ((is_set or not quoted) and any(bracket in value for bracket in _BRACKETS)):
        return f"the brackets in `{value}` are taken as part of the value"
    if any(dash in value for dash in (_DASHES if is_set else _HYPHENS)):
        return f"`{value}` holds a dash that is no `-`"
    marks = (is_set or not quoted) and any(mark in value for mark in _MARKS)
    joined = not quoted and (_JOINED if is_set else _EITHER).search(value) is not None
    return f"`{value}` is taken as one value" if marks or joined else ""


def _cleaned(part: str) -> str:
    """Write a value with plain dashes, without quotes, brackets and what nobody sees."""
    hidden = {at for at, _ in unseen(part)}
    shown = "".join(
        " " if category(char) == "Zs" else _DASHES.get(char, char)
        for at, char in enumerate(part)
        if at not in hidden
    )
    return shown.strip(f" \t\n{_QUOTES}{_SINGLE}{_BRACKETS}")
