"""Readers of the forms that values have: mappings and their keys, lists, texts, numbers, choices.

What is wrong is reported as R101, R102, R106, R107 or R108.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from engine.language import words
from engine.language.checks.choices import not_allowed
from engine.language.checks.cut_text import check_cut
from engine.language.checks.hidden import check_hidden
from engine.language.checks.missing_key import missing_keys
from engine.language.checks.unknown_key import odd_key, unknown_key
from engine.language.editor.scalars import core, is_odd
from engine.language.mending import mend, proposal
from engine.language.report import Report
from engine.language.source import Mapping, Node, Scalar, Sequence
from engine.language.suggest import closest, did_you_mean, one_of

T = TypeVar("T")


def mapping(report: Report, node: Node, what: str) -> Mapping | None:
    """Return the node as a mapping, or report that it is none."""
    if isinstance(node, Mapping):
        return node
    report.error("R108", node, f"expected {what}, was {describe(node)}", _brace_hint(node))
    return None


def keys(
    report: Report,
    node: Mapping,
    owner: Node,
    name: str,
    required: Collection[str],
    optional: Collection[str],
) -> None:
    """Check the keys of a mapping. `owner`, the key that holds it, is marked for a missing one."""
    missing = [key for key in required if key not in node.entries]
    strange = [key for key, _ in node if key.text not in required and key.text not in optional]
    free = [known for known in (*required, *optional) if known not in node.entries]
    unlike = []
    for key in strange:
        near = closest(key.text, free)
        if near is None:
            unlike.append(key)
        else:
            unknown_key(report, key, did_you_mean(key.text, free))
            missing = [known for known in missing if known != near]
    if len(unlike) == len(missing) == 1 and not odd_key(unlike[0].text):  # `name:` where `case:` is wanted
        unknown_key(report, unlike[0], f"did you mean `{missing[0]}`, which is missing?")
        unlike, missing = [], []
    for key in unlike:
        unknown_key(report, key, one_of(free or (*required, *optional)))
    if missing and not (node is report.source.root and report.source.broken):
        missing_keys(report, owner, name, missing)


def text(report: Report, node: Node | None, what: str, *, any_word: bool = False) -> str:
    """Return the text of a scalar that must hold something; empty after a report.

    `any_word`: also a plain `true` or `~`, which to YAML is no text; what it should be is told elsewhere.
    """
    if node is None:
        return ""
    if isinstance(node, Scalar) and node.text.strip():
        if any_word or not (is_odd(node.text) and is_plain(report, node)):
            return node.text
        value = core(node.text)
        read = "nothing" if value is None else "yes or no" if isinstance(value, bool) else "a number"
        said = f"expected {what}, was `{node.text}`, which YAML reads as {read}"
        report.error("R108", node, said, f'quote it if it is meant: `"{node.text}"`')
        return ""
    report.error("R108", node, f"expected {what}, was {describe(node)}", _brace_hint(node))
    return ""


def is_plain(report: Report, node: Scalar) -> bool:
    """Tell whether a scalar is written without quotes."""
    return report.source.text[node.start.index : node.start.index + 1] not in ('"', "'", "|", ">")


def prose(report: Report, node: Node | None, what: str) -> str:
    """Return a text that people read; empty after a report."""
    if isinstance(node, Scalar):
        check_cut(report, node)
        check_hidden(report, node)
    return text(report, node, what)


def value(
    report: Report, node: Node | None, what: str, reader: Callable[[str], T], default: T, code: str = "R107"
) -> T:
    """Read one scalar with a function of `words`; the default after a report, or if there is no node."""
    if node is None:
        return default
    if not isinstance(node, Scalar) or not node.text:
        report.error("R108", node, f"expected {what}, was {describe(node)}")
        return default
    try:
        return reader(node.text)
    except words.Unreadable as wrong:
        report.error(code, node, wrong.message, wrong.hint or mend(node.text, reader) or wrong.listing)
        return default


def duration(report: Report, node: Node | None, zero: bool = False, most: int = words.LONGEST) -> int:
    """Read a length of time in µs; 0 after a report. Zero itself only if allowed.

    `most`: the longest that is allowed, for hints; what is longer is left to the caller.
    """
    what = "a length of time"
    if not isinstance(node, Scalar) or not node.text:
        return value(report, node, what, words.duration, 0)

    def reads(text: str) -> int:
        length = words.duration(text)
        if length > most or (length == 0 and not zero):
            raise words.Unreadable(text)
        return length

    def is_too_long(text: str) -> None:
        if words.duration(text) <= most:
            raise words.Unreadable(text)

    try:
        length = words.duration(node.text)
    except words.Unreadable as wrong:
        # a bare number is most often one of minutes
        ask, text = (proposal, f"{node.text}m") if wrong.hint else (mend, node.text)
        hint = ask(text, reads)
        if not hint and most > 0 and ask(text, is_too_long):
            hint = f"the longest here is `{words.write_duration(most)}`"
        report.error("R107", node, wrong.message, hint)
        return 0
    if length == 0 and not zero:
        report.error("R107", node, "a length of time must be longer than nothing here")
    return length


def integer(report: Report, node: Node | None, low: int, high: int) -> int:
    """Read a whole number; `low` after a report."""
    return value(
        report,
        node,
        f"a whole number from {low} to {high:,}",
        lambda t: words.integer(t, low, high),
        low,
        "R108",
    )


def choice(report: Report, node: Node | None, options: Collection[str], code: str = "R106") -> str | None:
    """Read one word of a closed list; None after a report."""
    if node is None:
        return None
    if not isinstance(node, Scalar):
        report.error("R108", node, f"expected one word, was {describe(node)}", one_of(options))
        return None
    if node.text in options:
        return node.text
    if not node.text:
        report.error("R108", node, "expected one word, was nothing", one_of(options))
        return None
    not_allowed(report, node, options, code)
    return None


def one_or_more(node: Node | None) -> list[Node]:
    """Return the members of a list, or a single value as a list of one."""
    if node is None:
        return []
    return list(node.items) if isinstance(node, Sequence) else [node]


def sequence(report: Report, node: Node | None, what: str, least: int = 1) -> list[Node]:
    """Return the members of a list of at least `least`; what there is after a report."""
    if node is None:
        return []
    if not isinstance(node, Sequence):
        hint = f"start each of the {what} with `- `, or write them in `[…]`"
        report.error("R108", node, f"expected a list of {what}, was {describe(node)}", hint)
        return []
    if len(node.items) < least:
        said = "is empty" if not node.items else f"is too short: at least {least} are needed"
        report.error("R108", node, f"this list of {what} {said}")
    return list(node.items)


def describe(node: Node) -> str:
    """Name what stands in the file, for messages."""
    if isinstance(node, Scalar):
        return f"`{node.text}`" if node.text.strip() else "nothing"
    if isinstance(node, Mapping):
        return "a mapping"
    return "a list"


def _brace_hint(node: Node) -> str:
    """`text: {product.name} ...` without quotes opens a mapping; `brand:GoTone` without a space does not."""
    if isinstance(node, Scalar):
        return odd_key(node.text)
    if isinstance(node, Mapping) and any(isinstance(value, Scalar) and value.text == "" for _, value in node):
        return "text that starts with `{` must be quoted"
    return ""
