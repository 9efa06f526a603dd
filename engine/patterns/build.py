"""From the written pattern to nodes: equal patterns become one node, shared by all rules."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from engine import audience
from engine.event_kinds import KINDS
from engine.history import NEAR, TECHNICAL
from engine.language import model
from engine.patterns.absence import After, Cancels, Shared, shared_by
from engine.patterns.base import Node
from engine.patterns.combine import AllOf, AnyOf
from engine.patterns.counting import Count, Total
from engine.patterns.crossing import Enters, Leaves
from engine.patterns.dwell import StaysIn
from engine.patterns.happens import Happens
from engine.patterns.sequence import Sequence


class Builder:
    """Builds the nodes of a rule set, children before parents."""

    def __init__(
        self, key: bytes, keep: tuple[str, ...], cells: Mapping[str, frozenset[str]] | None = None
    ) -> None:
        self.key = key
        """TOUCHPOINT_KEY."""
        self.cells = cells or {}
        """Place -> its cells."""
        self.keep = keep
        """Record fields that some text of the set shows."""
        self.nodes: list[Node] = []
        self._shared: dict[str, Node] = {}
        self._texts: dict[str, str] = {}

    def build(self, pattern: model.Pattern, cancels: Shared | None = None) -> Node:
        """Return the node of a pattern; `cancels`: it stands under `no:` (see `shared_by`)."""
        bare = cancels if isinstance(pattern, model.Happens) else None
        text = f"cancels {bare} {pattern!r}" if bare else repr(pattern)
        name = blake2b(text.encode(), digest_size=4).hexdigest()
        # one in four billion: the longer name tells them apart
        if self._texts.setdefault(name, text) != text:
            name = blake2b(text.encode(), digest_size=8).hexdigest()
        node = self._shared.get(name)
        if node is None:
            node = self._make(name, pattern, bare)
            node.index = len(self.nodes)
            node.derived = _is_derived(pattern) and isinstance(node, Count | Total | Cancels)
            if bare is not None:
                node.derived = node.derived and bare.near
            self.nodes.append(node)
            self._shared[name] = node
            for child in dict.fromkeys(node.children):
                child.parents.append(node)
        return node

    def _shown(self, kind: str) -> tuple[str, ...]:
        """Name the fields of a kind that some text shows."""
        return tuple(name for name in self.keep if name in KINDS[kind].fields)

    def _make(self, name: str, pattern: model.Pattern, cancels: Shared | None) -> Node:
        match pattern:
            case model.Happens():
                passes = audience.compile_record(pattern.where, pattern.unless, self.key)
                places = audience.places_named(pattern.where)
                if cancels:
                    return Cancels(name, pattern.event, passes, cancels.span, cancels.memory)
                return Happens(name, pattern.event, passes, places, self._shown(pattern.event))
            case model.Enters():
                who, cells = pattern.resident, self.cells
                if pattern.confirm:
                    return StaysIn(name, pattern.members, pattern.confirm, True, who, cells)
                return Enters(name, pattern.members, who, cells)
            case model.Leaves():
                return Leaves(name, pattern.members)
            case model.StaysIn():
                return StaysIn(name, pattern.members, pattern.duration, False, pattern.resident, self.cells)
            case model.Count():
                passes = audience.compile_record(pattern.where, (), self.key)
                places = audience.places_named(pattern.where)
                return Count(
                    name,
                    pattern.event,
                    passes,
                    pattern.at_least,
                    pattern.within,
                    places,
                    self._shown(pattern.event),
                )
            case model.Total():
                passes = audience.compile_record(pattern.where, (), self.key)
                places = audience.places_named(pattern.where)
                return Total(
                    name,
                    pattern.event,
                    pattern.field,
                    passes,
                    pattern.at_least,
                    pattern.within,
                    places,
                    self._shown(pattern.event),
                )
            case model.Sequence():
                return Sequence(name, tuple(map(self.build, pattern.steps)), pattern.within)
            case model.After():
                first = self.build(pattern.first)
                no = self.build(pattern.no, shared_by(first.kinds, pattern.wait))
                return After(name, first, no, pattern.wait)
            case model.AnyOf():
                return AnyOf(name, tuple(map(self.build, pattern.parts)))
            case model.AllOf():
                return AllOf(name, tuple(map(self.build, pattern.parts)), pattern.within)


def _is_derived(pattern: model.Pattern) -> bool:
    """Say whether the history holds all that this pattern looks back at, for as long as it does."""
    if not isinstance(pattern, model.Happens | model.Count | model.Total):
        return False
    tests = pattern.where + (pattern.unless if isinstance(pattern, model.Happens) else ())
    return pattern.event.startswith(NEAR) and all(
        t.field == "cell" or t.field not in TECHNICAL for t in tests
    )
