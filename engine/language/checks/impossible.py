"""R508: patterns that can match nothing, or only where nothing may be sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.event_kinds import PHASED
from engine.language import logic
from engine.language.checks.code import Check
from engine.language.model import (
    After,
    AnyOf,
    Count,
    Enters,
    Happens,
    Leaves,
    Pattern,
    Rule,
    Sequence,
    StaysIn,
    Total,
)
from engine.language.moments import inside
from engine.language.report import Report
from engine.language.source import Mapping, Node
from engine.language.source import Sequence as Items
from engine.language.walk import find, patterns
from engine.language.words import write_duration

CHECKS: Final = (
    Check(
        code="R508",
        meaning="a pattern that never matches, or only where nothing is sent",
        bad="""
            when:
              sequence:
                - enters: campus-north
                - {stays_in: campus-north, for: 1h}
              within: 30m
            """,
        good="""
            when:
              sequence:
                - enters: campus-north
                - {stays_in: campus-north, for: 30m}
              within: 1h
            """,
        advice="""
            Change the times. Found are: a stay that takes as long as the sequence it is part of
            may last; a wait that long, in a sequence behind a step that starts it anew or ends it; a call,
            message or session with a `phase` that is not its end, at which alone these count; an offer at a
            complaint, which stops all offers at once; an offer at a purchase to those who do not have the
            product, which they have from that very record on.
            """,
        level="warning",
    ),
)


def check_possible(report: Report, rule: Rule) -> None:
    """R508: the pattern and every part of it."""
    node = find(report.source.root, "when")
    for pattern, body in patterns(rule.when, node):
        if isinstance(pattern, Sequence):
            _check_stays(report, pattern, body)
            _check_waits(report, pattern, body)
    _check_phases(report, rule.when, node)
    _check_phases(report, rule.goal.converts_when, find(report.source.root, "goal", "converts_when"))
    for last, body in _completing(rule.when, node):
        if last.event == "complaint":
            said = "nothing is sent: a complaint stops all offers to the subscriber at once"
            hint = "until they consent to marketing again; wait for it with `after` or another event"
            report.warn("R508", body, said, hint)
        if isinstance(last, Happens) and last.event == "product.bought":
            _check_bought(report, rule, last)


def _check_phases(report: Report, whole: Pattern, node: Node | None) -> None:
    """Starts and updates are no instants (semantics.md 1.4); they stop a bare `no: {happens: …}`."""
    stoppers = {id(body.get("no")) for pattern, body in patterns(whole, node) if isinstance(pattern, After)}
    for pattern, body in patterns(whole, node):
        if not isinstance(pattern, Happens | Count | Total) or not pattern.event.startswith(PHASED):
            continue
        unless = pattern.unless if isinstance(pattern, Happens) else ()
        phase = logic.audience(pattern.where, unless).get("phase")
        bare = isinstance(pattern, Happens) and id(body) in stoppers
        if bare or phase is None or phase.empty or not logic.both(phase, _ENDS).empty:
            continue
        where = find(body, "where", "phase") or find(body, "unless", "phase") or body
        said = "never matches: calls, messages and sessions count at their end, `phase: stop` or none"
        report.warn("R508", where, said, "leave `phase` out; a start only stops a bare `no: {happens: …}`")


_ENDS: Final = logic.Words(frozenset({"stop"}))


def _check_stays(report: Report, whole: Sequence, body: Mapping) -> None:
    """A stay of D that opens within a sequence of W >= D can't end within it.

    Coming to a place opens a visit, leaving it closes one, and both lie less than W before the end. So does
    the opening of any later visit, and its mark comes D after that.
    """
    items = body.get("sequence")
    if not isinstance(items, Items):
        return
    crossed: set[str] = set()
    for step, node in zip(whole.steps, items.items, strict=True):
        place = (
            step.members[0] if isinstance(step, Enters | Leaves | StaysIn) and len(step.members) == 1 else ""
        )
        length = _stay(step)
        if place in crossed and length >= whole.within and isinstance(node, Mapping):
            said = (
                f"never matches: {write_duration(length)} in `{place}` after coming or leaving do not fit "
                f"into `within: {write_duration(whole.within)}`"
            )
            where = node.get("for") or node.get("confirm") or node
            report.warn("R508", where, said, f"set `within` to more than {write_duration(length)}")
        if place and not _stay(step) and isinstance(step, Enters | Leaves):
            crossed.add(place)


def _check_waits(report: Report, whole: Sequence, body: Mapping) -> None:
    """A wait of D after A can't end in a sequence of W <= D behind a step that is an A, or what it waits for.

    The step lies less than W before the end of the sequence, so less than D before the end of the wait or
    later: it is within the wait, which it starts anew, or cancels.
    """
    items = body.get("sequence")
    if not isinstance(items, Items):
        return
    for number, (step, node) in enumerate(zip(whole.steps, items.items, strict=True)):
        if not isinstance(step, After) or step.wait < whole.within or not isinstance(node, Mapping):
            continue
        within = write_duration(whole.within)
        for key, ends in (("after", step.first), ("no", step.no)):
            if any(inside(earlier, ends) for earlier in whole.steps[:number]):
                does = "starts this wait anew" if key == "after" else "ends this wait"
                said = f"never matches: a step before {does}, which is no shorter than `within: {within}`"
                hint = f"set `within` to more than {write_duration(step.wait)}"
                report.warn("R508", node.get("for") or node, said, hint)
                break


def _stay(step: Pattern) -> int:
    """Return how long after the opening of a visit a step has its instant, µs; 0: at another time."""
    if isinstance(step, StaysIn):
        return step.duration
    return step.confirm if isinstance(step, Enters) else 0


def _completing(pattern: Pattern, node: Node | None) -> Iterator[tuple[Happens | Count, Mapping]]:
    """Yield the patterns whose records complete the whole, if only records of them do."""
    if not isinstance(node, Mapping):
        return
    if isinstance(pattern, Happens | Count):
        yield pattern, node
    items = node.get("sequence") or node.get("any_of")
    if isinstance(items, Items) and isinstance(pattern, Sequence):
        yield from _completing(pattern.steps[-1], items.items[-1])
    elif isinstance(items, Items) and isinstance(pattern, AnyOf):
        for part, below in zip(pattern.parts, items.items, strict=False):
            yield from _completing(part, below)


def _check_bought(report: Report, rule: Rule, bought: Happens) -> None:
    """The product is among the subscriber's before the rule is judged (semantics.md 7 l)."""
    got = next((test for test in bought.where if test.field == "product" and test.op == "is"), None)
    if got is None:
        return
    product = {str(value) for value in got.values}
    for lines, key, barred in ((rule.who, "who", "not"), (rule.excepts, "except", "is")):
        line = next((test for test in lines if test.field == "products" and test.op == barred), None)
        where = find(report.source.root, key, "products")
        if line is not None and where is not None and product <= {str(value) for value in line.values}:
            said = "nobody passes at the purchase: the product is theirs before the rule is judged"
            report.warn("R508", where, said, "take this line out")
