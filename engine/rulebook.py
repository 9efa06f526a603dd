"""A rule set made ready to run: nodes, indexes, compiled lines, texts (the book a lane judges by)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.audience import Line, compile_lines
from engine.event_kinds import KINDS
from engine.history import NEAR
from engine.language import model
from engine.localtime import valid_span
from engine.look_back import ACTIVE, look_backs
from engine.patterns.base import Node
from engine.patterns.build import Builder
from engine.patterns.crossing import Enters, Leaves
from engine.patterns.dwell import StaysIn
from engine.places import PlaceMap
from engine.text import Template


@dataclass(frozen=True, slots=True)
class CompiledMessage:
    """One choice under `send:`."""

    channel: model.Channel
    condition: tuple[Line, ...]
    text: Template
    subject: Template


class CompiledRule:
    """A rule as the gates read it."""

    __slots__ = (
        "consents",
        "cooldown",
        "excepts",
        "feed_kinds",
        "kinds",
        "messages",
        "name",
        "names_place",
        "priority",
        "product",
        "quiet",
        "root",
        "rule",
        "schedule",
        "shadow",
        "span",
        "timezone",
        "total_type",
        "who",
    )

    def __init__(self, rule: model.Rule, rules: model.RuleSet, root: Node, key: bytes) -> None:
        policy = rules.policy
        self.rule = rule
        self.name = rule.name
        self.root = root
        self.priority = rule.limits.priority
        self.shadow = rule.status == "shadow"
        self.schedule = rule.schedule
        self.timezone = policy.timezone
        """Where the subscriber's is not known."""
        self.span = valid_span(*rule.valid, policy.timezone)
        self.who = compile_lines(rule.who, key)
        self.excepts = compile_lines(rule.excepts, key)
        self.names_place = any(_names_place(pattern) for pattern in walk(rule.when))
        located = ("location",) if self.names_place else ()
        self.consents: tuple[str, ...] = ("marketing", "profiling", *located)
        self.messages = tuple(
            CompiledMessage(
                message.channel,
                compile_lines(message.condition, key),
                Template.parse(message.text),
                Template.parse(message.subject),
            )
            for message in rule.offer.send
        )
        self.quiet = tuple(dict.fromkeys((*policy.quiet, *rule.limits.quiet)))
        self.cooldown = policy.groups.get(rule.limits.only_one_of or "", 0)
        self.kinds = root.kinds
        self.feed_kinds: frozenset[str] = frozenset()
        """Kinds whose feed must have been up for this absence (only an `after` that is the `when` itself)."""
        if isinstance(rule.when, model.After):
            self.feed_kinds = root.children[1].kinds
        self.product = rules.catalog.products.get(rule.offer.product)
        self.total_type = next((p.type for p in walk(rule.when) if isinstance(p, model.Total)), "number")


def walk(pattern: model.Pattern) -> Iterator[model.Pattern]:
    """Yield a pattern and all patterns inside it, outermost first."""
    yield pattern
    match pattern:
        case model.Sequence():
            inner: tuple[model.Pattern, ...] = pattern.steps
        case model.After():
            inner = (pattern.first, pattern.no)
        case model.AnyOf() | model.AllOf():
            inner = pattern.parts
        case _:
            inner = ()
    for child in inner:
        yield from walk(child)


def _names_place(pattern: model.Pattern) -> bool:
    if isinstance(pattern, model.Enters | model.Leaves | model.StaysIn):
        return True
    if isinstance(pattern, model.Happens | model.Count | model.Total):
        lines = pattern.where + (pattern.unless if isinstance(pattern, model.Happens) else ())
        return any(test.field == "place" for test in lines)
    return False


DATA_LEAST = 2 * model.HOUR
LATENESS = model.HOUR
"""How late a signaling record may be and still start or stop a wait."""


def reach_of(patterns: Iterable[model.Pattern]) -> dict[str, int]:
    """Return how far back patterns look at each kind, µs: windows added up along the nesting."""
    found: dict[str, int] = {}
    for pattern in patterns:
        _reach(pattern, 0, found)
    return found


def _reach(pattern: model.Pattern, outer: int, found: dict[str, int]) -> None:
    match pattern:
        case model.Count() | model.Total():
            found[pattern.event] = max(
                found.get(pattern.event, 0), min(outer + pattern.within, 2 * model.DAY)
            )
        case model.Happens():
            found[pattern.event] = max(found.get(pattern.event, 0), min(outer, 2 * model.DAY))
        case model.Sequence():
            for step in pattern.steps:
                _reach(step, outer + pattern.within, found)
        case model.AllOf():
            for part in pattern.parts:
                _reach(part, outer + pattern.within, found)
        case model.AnyOf():
            for part in pattern.parts:
                _reach(part, outer, found)
        case model.After():
            for part in (pattern.first, pattern.no):
                _reach(part, outer + pattern.wait + LATENESS, found)
        case _:
            pass


class Rulebook:
    """A compiled rule set: `by_kind` and `by_place` lead from a record to the few patterns it can touch."""

    def __init__(self, rules: model.RuleSet, key: bytes) -> None:
        self.rules = rules
        self.hash = rules.hash
        self.policy = rules.policy
        self.catalog = rules.catalog
        self.key = key
        self.places = PlaceMap(rules.catalog)
        active = [rule for rule in rules.rules.values() if rule.status in ACTIVE]
        builder = Builder(key, _shown_fields(active), self.places.cells)
        self.compiled: dict[str, CompiledRule] = {}
        for rule in active:
            root = builder.build(rule.when)
            compiled = CompiledRule(rule, rules, root, key)
            root.rules.append(compiled)
            self.compiled[rule.name] = compiled
        self.nodes = builder.nodes
        self.by_key = {node.key: node for node in self.nodes}
        for node in reversed(self.nodes):
            found = {parent.index: parent for parent in node.parents}
            for parent in node.parents:
                found.update((a.index, a) for a in parent.ancestors)
            node.ancestors = tuple(found[index] for index in sorted(found))
        self.by_kind: dict[str, tuple[Node, ...]] = {}
        self.by_place: dict[str, tuple[Node, ...]] = {}
        self.derived: dict[str, tuple[Node, ...]] = {}
        """Kind -> patterns over it whose memory is not stored."""
        for node in self.nodes:
            if node.children:
                continue
            for kind in node.kinds:
                self.by_kind[kind] = (*self.by_kind.get(kind, ()), node)
                if node.derived:
                    self.derived[kind] = (*self.derived.get(kind, ()), node)
            if isinstance(node, Enters | Leaves | StaysIn):
                for place in node.members:
                    self.by_place[place] = (*self.by_place.get(place, ()), node)
        self.longest = max([30 * model.DAY, *(one.length for one in look_backs(rules))])
        """Longest look-back of any cap: older contacts decide nothing."""

        self.watched = frozenset().union(*(node.kinds for node in self.nodes))
        """Kinds that some pattern looks at."""
        reach = reach_of(c.rule.when for c in self.compiled.values())
        self.near: dict[str, int] = {
            kind: max(reach.get(kind, 0), DATA_LEAST if kind.startswith("data.") else 0)
            for kind in KINDS
            if kind.startswith(NEAR)
        }
        """Kinds that are kept only as far as rules look back at them -> how far, µs; 0 = not at all."""
        self.horizon = max(self.near.values())


def _shown_fields(rules: list[model.Rule]) -> tuple[str, ...]:
    names = {
        name
        for rule in rules
        for message in rule.offer.send
        for text in (message.text, message.subject)
        for name in Template.parse(text).names
    }
    return tuple(sorted(name.removeprefix("event.") for name in names if name.startswith("event.")))
