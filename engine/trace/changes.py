"""One thing changed: candidates for the single change that would have brought an offer.

A change is of the subscriber (a field, a consent, an opt-out) or of one line of the rules or the policy. Here
they are only thought of; whether one helps is found out by running the engine (`engine.trace.flips`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.audience import Line
from engine.language import model
from engine.language.words import write_duration
from engine.localtime import quiet_end
from engine.rulebook import CompiledRule
from engine.trace.gates import Bench, Check, said
from engine.trace.misses import above
from engine.trace.story import RuleStory
from engine.trace.tape import Given
from engine.trace.watch import Judgement
from engine.trace.words import say, say_cap, say_intervals, say_schedule

VALUES_AT_MOST = 4
"""Values tried of what a line does not name: all that are `not gold`. Those it names are tried one by one."""
HIGHER_AT_MOST = 4
"""By how much a cap is raised: with one more, an earlier match may take what was meant for this one."""
_ELSE = "something else"
"""A text, or an element of a set, that no rule names."""


@dataclass(frozen=True, slots=True)
class Change:
    """One single change."""

    said: str
    """What would have to be, exactly as it is tried: `` `who.arpu` were 58 yuan (is 52 yuan)``."""
    given: Given = field(default_factory=Given)
    rules: model.RuleSet | None = None
    """None: the rules stay."""
    of: str = ""
    """The line, if several values of it are tried: the first that helps is enough."""
    aim: str | None = None
    """Id of the judgement that it shall turn; None: any new one will do."""


def changes(bench: Bench, story: RuleStory, judged: list[Judgement]) -> Iterator[Change]:
    """Think of what may have stopped a rule, the latest of `judged` first; these are in order."""
    rule = bench.book.rules.rules[story.rule]
    compiled = bench.book.compiled.get(story.rule)
    if compiled is None:
        yield Change(
            f"`status` were live (is {rule.status})", rules=_with(bench, replace(rule, status="live"))
        )
        return
    if not judged:
        yield from _of_patterns(bench, story, rule)
        return
    seen: set[str] = set()
    for judgement in reversed(judged):
        for line, number in _stopping(judgement):
            name = f"{line.name} {number} {judgement.winner}"
            if name not in seen:
                seen.add(name)
                for change in _of_gate(bench, compiled, judgement, line, number):
                    yield replace(change, of=change.of and f"{name} {change.of}", aim=judgement.id)


def _stopping(judgement: Judgement) -> Iterator[tuple[Check, int]]:
    """Yield the first line that was not ok, and how many of its name stand before it."""
    names: list[str] = []
    for line in judgement.lines:
        if line.result in ("no", "unknown"):
            yield line, names.count(line.name)
            return
        names.append(line.name)


# -- patterns ------------------------------------------------------------------------------------------------


def _of_patterns(bench: Bench, story: RuleStory, rule: model.Rule) -> Iterator[Change]:
    """Put the mark of each pattern that came near to where it came."""
    if rule.schedule is not None:
        said = f"`schedule` were not there (is {say_schedule(rule.schedule)})"
        yield Change(said, rules=_with(bench, replace(rule, schedule=None)))
    near = {line.name: line.nearest for line in story.pattern}
    for name, rebuild in _patterns(rule.when):
        miss = near.get(name)
        if miss is None or miss.nearer is None or miss.change is None:
            continue
        when = rebuild(miss.nearer)
        if _windows(when) <= bench.book.policy.window:
            said = miss.change if name == "when" else f"{miss.change} of {name}"
            yield Change(said, rules=_with(bench, replace(rule, when=when)))


Rebuild = Callable[[model.Pattern], model.Pattern]
"""A pattern in the place of one inside a rule -> the whole `when` with it."""


def _patterns(
    pattern: model.Pattern, name: str = "when", rebuild: Rebuild = lambda new: new
) -> Iterator[tuple[str, Rebuild]]:
    """Yield each pattern's name, as `engine.trace.waits` has it, and how to put another in its place."""
    yield name, rebuild
    match pattern:
        case model.Sequence():
            for n, step in enumerate(pattern.steps):
                yield from _patterns(step, f"{name}.step {n + 1}", _in_step(rebuild, pattern, n))
        case model.AnyOf() | model.AllOf():
            for n, part in enumerate(pattern.parts):
                yield from _patterns(part, f"{name}.part {n + 1}", _in_part(rebuild, pattern, n))
        case model.After():
            first = pattern
            yield from _patterns(
                pattern.first, f"{name}.after", lambda new: rebuild(replace(first, first=new))
            )


def _in_step(rebuild: Rebuild, pattern: model.Sequence, n: int) -> Rebuild:
    return lambda new: rebuild(replace(pattern, steps=_at(pattern.steps, n, new)))


def _in_part(rebuild: Rebuild, pattern: model.AnyOf | model.AllOf, n: int) -> Rebuild:
    return lambda new: rebuild(replace(pattern, parts=_at(pattern.parts, n, new)))


def _at(parts: tuple[model.Pattern, ...], place: int, new: model.Pattern) -> tuple[model.Pattern, ...]:
    return (*parts[:place], new, *parts[place + 1 :])


def _windows(pattern: model.Pattern) -> int:
    """Sum the windows along the longest path of nesting."""
    match pattern:
        case model.Sequence():
            return pattern.within + max(map(_windows, pattern.steps))
        case model.AllOf():
            return pattern.within + max(map(_windows, pattern.parts))
        case model.AnyOf():
            return max(map(_windows, pattern.parts))
        case model.After():
            return pattern.wait + max(_windows(pattern.first), _windows(pattern.no))
        case model.Count() | model.Total():
            return pattern.within
        case model.StaysIn():
            return pattern.duration
        case model.Enters():
            return pattern.confirm
        case _:
            return 0


# -- gates ---------------------------------------------------------------------------------------------------


def of_gates(bench: Bench, rule: CompiledRule, judgement: Judgement) -> Iterator[Change]:
    """Think of what would have let one judgement past the line that stopped it, if one did."""
    for line, number in _stopping(judgement):
        yield from _of_gate(bench, rule, judgement, line, number)


def _of_gate(
    bench: Bench, rule: CompiledRule, judgement: Judgement, line: Check, number: int
) -> Iterator[Change]:
    """Think of what would have let one judgement past the line that stopped it."""
    block, _, name = line.name.partition(".")
    match block:
        case "who" | "except":
            lines = rule.who if block == "who" else rule.excepts
            [asked] = [each for each in lines if each.field == name]
            for value in _passing(bench, asked, refuses=block == "except"):
                said = _reads(line.name, say(value, asked.test.type), line.actual)
                yield Change(said, Given(profile={name: value}), of=name)
        case "consent":
            yield Change(_reads(line.name, line.expected, line.actual), Given(consent={name: True}))
        case "suppressed":
            yield Change(_reads(line.name, line.expected, line.actual), Given(welcome=True))
        case "channel":
            yield from _of_messages(bench, rule)
        case "feed":
            yield Change("the feed had been up", Given(feeds_up=True))
        case _:
            yield from _of_limits(bench, rule, judgement, line.name, number)


def _of_messages(bench: Bench, rule: CompiledRule) -> Iterator[Change]:
    """Let a message through whose `if` fails by one line."""
    profile = bench.sub.profile
    for message in rule.messages:
        failing = [line for line in message.condition if not line.holds(profile.get(line.field))]
        if len(failing) != 1:
            continue
        [line] = failing
        is_now = say(profile.get(line.field), line.test.type)
        for value in _passing(bench, line, refuses=False):
            mark = f"{say(value, line.test.type)} for the {message.channel}"
            said, of = _reads(line.field, mark, is_now), f"{message.channel} {line.field}"
            yield Change(said, Given(profile={line.field: value}), of=of)


def _of_limits(
    bench: Bench, rule: CompiledRule, judgement: Judgement, name: str, number: int
) -> Iterator[Change]:
    own, policy = rule.rule, bench.book.policy
    limits = own.limits
    match name:
        case "valid":
            day = datetime.fromtimestamp(judgement.at // 1_000_000, ZoneInfo(policy.timezone)).date()
            valid = min(own.valid[0], day), max(own.valid[1], day)
            yield Change(
                _reads("valid", _span(valid), _span(own.valid)), rules=_with(bench, replace(own, valid=valid))
            )
        case "limits.at_most":
            for cap in _higher(limits.at_most):
                said = _reads("limits.at_most", say_cap(cap), say_cap(limits.at_most))
                yield Change(said, rules=_limited(bench, own, at_most=cap), of="cap")
        case "policy.contact":
            yield from _of_contact(bench, number)
        case "only_one_of":
            yield Change(
                f"`only_one_of: {limits.only_one_of}` were not there",
                rules=_limited(bench, own, only_one_of=None),
            )
        case "send_within":
            zone = bench.timezone
            wait = above(quiet_end(judgement.at, zone, rule.quiet) - judgement.at - 1)
            if wait <= bench.book.policy.window:
                said = _reads("limits.send_within", write_duration(wait), write_duration(limits.send_within))
                yield Change(said, rules=_limited(bench, own, send_within=wait))
            yield _never_quiet(bench, rule)
        case "arbitration" if judgement.winner is not None and judgement.winner != own.name:
            others = {key: each for key, each in bench.book.rules.rules.items() if key != judgement.winner}
            yield Change(
                f"the rule {judgement.winner} were not there", rules=replace(bench.book.rules, rules=others)
            )
        case "quiet":
            yield _never_quiet(bench, rule)
        case "holdout":
            if limits.holdout:
                yield Change(_held_out("limits", limits.holdout), rules=_limited(bench, own, holdout=0.0))
            if policy.holdout:
                yield Change(_held_out("policy", policy.holdout), rules=_policy(bench, holdout=0.0))
        case "shadow":
            yield Change("`status` were live (is shadow)", rules=_with(bench, replace(own, status="live")))


def _of_contact(bench: Bench, number: int) -> Iterator[Change]:
    """Raise the cap of the policy that refused: the general ones come first, then that of the tier."""
    policy = bench.book.policy
    if number < len(policy.contact):
        cap = policy.contact[number]
        for more in _higher(cap):
            caps = (*policy.contact[:number], more, *policy.contact[number + 1 :])
            said = _reads("policy.contact", say_cap(more), say_cap(cap))
            yield Change(said, rules=_policy(bench, contact=caps), of="cap")
        return
    tier = bench.sub.profile.get("tier")
    if not isinstance(tier, str) or tier not in policy.contact_by_tier:
        return
    by_tier = policy.contact_by_tier[tier]
    for more in _higher(by_tier):
        said = _reads(f"policy.contact.by_tier: {tier}", say_cap(more), say_cap(by_tier))
        tiers = {**policy.contact_by_tier, tier: more}
        yield Change(said, rules=_policy(bench, contact_by_tier=tiers), of="cap")


def _higher(cap: model.Cap) -> Iterator[model.Cap]:
    for more in range(1, HIGHER_AT_MOST + 1):
        yield replace(cap, count=cap.count + more)


def _never_quiet(bench: Bench, rule: CompiledRule) -> Change:
    rules = _limited(bench, rule.rule, quiet=())
    rules = replace(rules, policy=replace(rules.policy, quiet=()))
    return Change(f"it were not quiet time (is {say_intervals(rule.quiet)})", rules=rules)


def _held_out(whose: str, share: float) -> str:
    return _reads(f"{whose}.holdout", "0%", f"{share * 100:.4g}%")


def _reads(key: str, mark: str, now: str) -> str:
    return f"`{key}` were {mark} (is {now})"


def _span(valid: tuple[Any, Any]) -> str:
    return f"{valid[0]} to {valid[1]}"


def _with(bench: Bench, rule: model.Rule) -> model.RuleSet:
    rules = bench.book.rules
    return replace(rules, rules={**rules.rules, rule.name: rule})


def _limited(bench: Bench, rule: model.Rule, **limits: Any) -> model.RuleSet:
    return _with(bench, replace(rule, limits=replace(rule.limits, **limits)))


def _policy(bench: Bench, **changed: Any) -> model.RuleSet:
    rules = bench.book.rules
    return replace(rules, policy=replace(rules.policy, **changed))


# -- values --------------------------------------------------------------------------------------------------


def _passing(bench: Bench, line: Line, *, refuses: bool) -> list[Any]:
    """Return values that pass a line, the nearest first; `refuses`: of `except`.

    A line may be passed with many: another line, or another rule, may ask for the same field, so that one
    helps and another does not.
    """
    wanted = "no" if refuses else "ok"
    spec = bench.book.catalog.fields.get(line.field)
    values = _values(line.test, bench.sub.profile.get(line.field), spec.values if spec is not None else ())
    found = [value for value in values if said(line.holds(value)) == wanted]
    if line.test.op == "is" and not refuses:
        return found
    marks = [value for value in found if value in line.test.values]
    return (marks or found)[:VALUES_AT_MOST]


def _values(test: model.Test, now: Any, catalog: tuple[str, ...]) -> Iterator[Any]:
    """Think of values; `now`: the one that is there, None if unknown."""
    match test.type:
        case "yes/no":
            yield from (True, False)
        case "set" | "place":
            kept = list(now) if isinstance(now, list | tuple) else []
            yield [value for value in kept if str(value) not in test.values]
            yield from ([*kept, value] for value in test.values)
            yield [*kept, _ELSE]
        case "text" | "phone":
            yield from dict.fromkeys((*test.values, *catalog, _ELSE))
        case _:
            yield from _numbers(test, now)


def _numbers(test: model.Test, now: Any) -> list[int | float]:
    """Think of the marks of a line, then of the next numbers beside them that can be written exactly."""
    marks = [value for value in test.values if not isinstance(value, str)]
    beside = [near for mark in marks for near in _beside(mark, test.type)]
    if isinstance(now, int | float):
        marks.sort(key=lambda value: abs(value - now))
        beside.sort(key=lambda value: abs(value - now))
    exact = [mark for mark in marks if _is_exact(mark, test.type)]
    return exact + beside


def _is_exact(value: float, type: model.FieldType) -> bool:
    """Say whether a number is written whole: messages round sizes to one decimal, others to two."""
    return value == (_floor(value, _unit(value)) if type == "bytes" else round(value, 2))


def _beside(mark: float, type: model.FieldType) -> tuple[int | float, int | float]:
    """Return the next number above a mark and below it."""
    if type == "bytes":
        unit = _unit(mark)
        lower = _unit(mark - 1)
        return _floor(mark, unit) + unit, _floor(mark - 1, lower)
    if mark == int(mark):
        return mark + 1, mark - 1
    return round(mark + 0.01, 2), round(mark - 0.01, 2)


def _unit(size: float) -> int:
    return next((unit for unit in (1 << 30, 1 << 20, 1 << 10) if size >= unit), 1)


def _floor(size: float, unit: int) -> int:
    return max(int(size // unit) * unit, 0)
