"""The words of closed vocabularies in a rule or places.yaml: where they stand, what else is right there."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from engine.language.catalog import GROUPS, PLACE, Names
from engine.language.checks.channels import CHANNELS
from engine.language.checks.events import EVENTS, event_fields, measure_parts, measures
from engine.language.checks.placeholders import scope_of
from engine.language.checks.values import LIKE_NOT
from engine.language.checks.verbs import COMPANIONS
from engine.language.compile import OPTIONAL, REQUIRED
from engine.language.conditions import NUMBER_CLASS, Field
from engine.language.geometry import AREA, CIRCLE, MODES
from engine.language.model import Catalog, Policy
from engine.language.schedule import KEYS
from engine.language.source import Mapping, Node, Scalar, Sequence
from engine.language.words import DAYS, UNITS, is_phone
from engine.numbers import normalise

Right = Callable[[str], bool]

COMPARISONS = ("at least", "at most", "over", "under", "not")
STATUS = ("draft", "shadow", "live", "paused")
_LENGTH = re.compile(r"(\d+d)?(\d+h)?(\d+m)?(\d+s)?")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: `start` its index in the text; the value it stands in begins at `line`, `col` (from 1).

    `right` tells whether another word would be right in its place.
    """

    kind: str
    text: str
    start: int
    line: int
    col: int
    right: Right


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds the words of one rule, or of places.yaml."""

    text: str
    catalog: Catalog
    policy: Policy

    def words(self, root: Mapping) -> Iterator[Word]:
        """Find all words, top to bottom within each section."""
        yield from self._keys(root, {*REQUIRED, *OPTIONAL})
        yield from self._whole("status", root.get("status"), STATUS)
        yield from self._inside("joining words", root.get("valid"), r"to")
        yield from self._schedule(root.get("schedule"))
        yield from self._pattern(root.get("when"))
        for section in ("who", "except"):
            yield from self._tests(root.get(section), self.catalog.fields)
        yield from self._offer(root)
        yield from self._limits(root.get("limits"))
        goal = root.get("goal")
        assert isinstance(goal, Mapping)
        yield from self._keys(goal, ("converts_when", "within"))
        yield from self._pattern(goal.get("converts_when"))
        yield from self._length(goal.get("within"))

    def places(self, root: Mapping) -> Iterator[Word]:
        """Find the words of places.yaml."""
        for key, body in root:
            assert isinstance(body, Mapping)
            if key.text == GROUPS:
                for _, members in body:
                    for item in _members(members):
                        yield from self._whole("places", item, self.catalog.places)
                continue
            yield from self._keys(body, {*PLACE[0], *PLACE[1]})
            yield from self._whole("modes", body.get("mode"), MODES)
            for name, keys in (("area", AREA), ("circle", CIRCLE)):
                inner = body.get(name)
                if isinstance(inner, Mapping):
                    yield from self._keys(inner, {*keys[0], *keys[1]})

    # -- sections --------------------------------------------------------------------------------------------

    def _pattern(self, node: Node | None) -> Iterator[Word]:
        assert isinstance(node, Mapping)
        verb = next(key for key in node.entries if key in COMPANIONS)
        required, optional = COMPANIONS[verb]
        for key, value in node:
            if key.text == verb:
                yield self._word("verbs", key, _one_of(set(COMPANIONS)))
                continue
            free = {*required, *optional} - set(node.entries)
            yield self._word("keys", key, _one_of(free))
            if key.text in ("within", "for", "confirm"):
                yield from self._length(value)
            if key.text == "no":
                yield from self._pattern(value)
        value = node.entries[verb][1]
        if isinstance(value, Sequence):
            for part in value.items:
                yield from self._pattern(part)
        elif isinstance(value, Mapping):
            yield from self._pattern(value)
        elif verb in ("enters", "leaves", "stays_in"):
            yield from self._whole("places", value, {*self.catalog.places, *self.catalog.groups})
        elif verb == "total":
            every = {f"{event}.{name}" for event in EVENTS for name in measures(event)}
            yield from self._whole("events", value, every)
            assert isinstance(value, Scalar)
            event, measure = measure_parts(value.text)
            yield from self._amount(node.get("at_least"), measures(event)[measure].type)
        else:
            yield from self._whole("events", value, EVENTS)
        if verb in ("happens", "count", "total"):
            assert isinstance(value, Scalar)
            event = measure_parts(value.text)[0] if verb == "total" else value.text
            for section in ("where", "unless"):
                yield from self._tests(node.get(section), event_fields(event))

    def _schedule(self, node: Node | None) -> Iterator[Word]:
        if node is None:
            return
        assert isinstance(node, Mapping)
        yield from self._keys(node, KEYS)
        for item in _members(node.get("days")):
            yield from self._inside("days", item, "|".join(DAYS), DAYS)
            yield from self._inside("joining words", item, r"(?<= )to(?= )")
        for item in _members(node.get("hours")):
            yield from self._inside("joining words", item, r"(?<= )to(?= )")

    def _offer(self, root: Mapping) -> Iterator[Word]:
        offer = root.get("offer")
        assert isinstance(offer, Mapping)
        yield from self._keys(offer, ("product", "send", "faq"))
        product = offer.get("product")
        assert isinstance(product, Scalar)
        yield from self._whole("products", product, self.catalog.products)
        known = scope_of(root.get("when")).names(self.catalog.products[product.text])
        for message in _members(offer.get("send")):
            assert isinstance(message, Mapping)
            channel = message.get("channel")
            assert isinstance(channel, Scalar)
            yield from self._keys(message, ("channel", "if", *CHANNELS[_channel(channel.text)]))
            yield from self._whole("channels", channel, CHANNELS)
            yield from self._tests(message.get("if"), self.catalog.fields)
            for key in ("subject", "text", "task"):
                yield from self._placeholders(message.get(key), known)
        for question in _members(offer.get("faq")):
            assert isinstance(question, Mapping)
            yield from self._keys(question, ("ask", "answer"))
            for key in ("ask", "answer"):
                yield from self._placeholders(question.get(key), known)

    def _limits(self, node: Node | None) -> Iterator[Word]:
        assert isinstance(node, Mapping)
        every = ("priority", "at_most", "send_within", "holdout", "only_one_of", "quiet")
        yield from self._keys(node, every)
        yield from self._whole("groups", node.get("only_one_of"), self.policy.groups)
        yield from self._inside("joining words", node.get("at_most"), r"(?<= )in(?= )")
        yield from self._length(node.get("at_most"))
        yield from self._length(node.get("send_within"))
        yield from self._amount(node.get("holdout"), "percent")
        for item in _members(node.get("quiet")):
            yield from self._inside("joining words", item, r"to")

    # -- values ----------------------------------------------------------------------------------------------

    def _tests(self, node: Node | None, fields: Collection[str] | dict[str, Field]) -> Iterator[Word]:
        if node is None:
            return
        assert isinstance(node, Mapping)
        assert hasattr(fields, "__getitem__")
        for key, value in node:
            yield self._word("fields", key, _one_of(set(fields) - set(node.entries)))
            field: Field = fields[key.text]
            for item in _members(value):
                assert isinstance(item, Scalar)
                yield from self._test(field, item)

    def _test(self, field: Field, node: Scalar) -> Iterator[Word]:
        found = re.match(rf"(?:{'|'.join(COMPARISONS)})(?= )", node.text)
        rest = node.text
        closed = bool(field.values) or field.type not in ("text", "set") or field.name in _PRODUCTS
        closed = closed or field is NUMBER_CLASS
        if found is not None:
            rest = node.text[found.end() + 1 :]
            # open text may well begin with `hot` or `no`: there these are right
            taken = set(COMPARISONS) if closed else {*COMPARISONS, *LIKE_NOT}
            yield self._word("comparisons", node, _one_of(taken), found[0])
        if field.type in ("number", "money", "bytes", "percent", "duration"):
            yield from self._inside("comparisons", node, r"(?<=\S )to(?= )")
            yield from self._amount(node, field.type)
        elif field.type == "yes/no":
            yield self._word("catalogue values", node, _one_of({"yes", "no"}), rest)
        elif field.type == "phone":
            if rest in self.catalog.numbers:
                yield self._word("number lists", node, self._is_number, rest)
        elif field is NUMBER_CLASS:
            yield self._word("number lists", node, _one_of(set(self.catalog.numbers)), rest)
        elif field.type == "place":
            yield self._word("places", node, _one_of({*self.catalog.places, *self.catalog.groups}), rest)
        elif field.values:
            yield self._word("catalogue values", node, _one_of(set(field.values)), rest)
        elif field.name in _PRODUCTS:
            yield self._word("products", node, _one_of(set(self.catalog.products)), rest)

    def _is_number(self, word: str) -> bool:
        return word in self.catalog.numbers or is_phone(normalise(word, Names(self.catalog).home_cc))

    def _amount(self, node: Node | None, type: str) -> Iterator[Word]:
        assert isinstance(node, Scalar)
        if type == "duration":
            yield from self._length(node)
        elif type in UNITS:
            unit = "|".join(map(re.escape, UNITS[type]))
            yield from self._inside(
                "units", node, rf"(?<=[0-9])(?:{unit})|(?<=[0-9] )(?:{unit})", UNITS[type]
            )

    def _length(self, node: Node | None) -> Iterator[Word]:
        """The letters of `1h30m`."""
        assert isinstance(node, Scalar)
        for length in re.finditer(r"(?:\d+[dhms])+", node.text):
            for letter in re.finditer(r"[dhms]", length[0]):
                before, behind = length[0][: letter.start()], length[0][letter.end() :]

                def right(word: str, before: str = before, behind: str = behind) -> bool:
                    return _LENGTH.fullmatch(before + word + behind) is not None

                yield self._at("units", node, length.start() + letter.start(), letter[0], right)

    def _placeholders(self, node: Node | None, known: list[str]) -> Iterator[Word]:
        if not isinstance(node, Scalar):
            return
        end = node.end.index
        for found in re.compile(r"\{([\w.]+)\}").finditer(self.text, node.start.index, end):
            line = self.text.count("\n", 0, found.start()) + 1
            col = found.start() - (self.text.rfind("\n", 0, found.start()) + 1) + 1
            yield Word("placeholders", found[1], found.start() + 1, line, col, _one_of(set(known)))

    # -- words -----------------------------------------------------------------------------------------------

    def _keys(self, node: Mapping, allowed: Collection[str]) -> Iterator[Word]:
        free = set(allowed) - set(node.entries)
        for key, _ in node:
            yield self._word("keys", key, _one_of(free))

    def _whole(self, kind: str, node: Node | None, options: Collection[str]) -> Iterator[Word]:
        if node is not None:
            assert isinstance(node, Scalar)
            yield self._word(kind, node, _one_of(set(options)))

    def _inside(
        self, kind: str, node: Node | None, pattern: str, options: Collection[str] = ()
    ) -> Iterator[Word]:
        if node is not None:
            assert isinstance(node, Scalar)
            for found in re.finditer(pattern, node.text):
                yield self._at(kind, node, found.start(), found[0], _one_of(set(options)))

    def _word(self, kind: str, node: Scalar, right: Right, part: str = "") -> Word:
        part = part or node.text
        return self._at(kind, node, node.text.index(part), part, right)

    def _at(self, kind: str, node: Scalar, offset: int, word: str, right: Right) -> Word:
        start = self.text.index(node.text[: offset + len(word)], node.start.index) + offset
        assert self.text[start : start + len(word)] == word
        return Word(kind, word, start, node.start.line + 1, node.start.column + 1, right)


_PRODUCTS = ("product", "products")


def _one_of(words: Collection[str]) -> Right:
    return lambda word: word in words


def _members(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.items if isinstance(node, Sequence) else [node]


def _channel(name: str) -> str:
    assert name in CHANNELS
    return name
