"""What the messages of a rule cost at most: parts of the longest text, times the price of policy.yaml.

A finding of `check` (`R303`) looks at one text; this lists all of them, for a table and for backtests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.language.checks.placeholders import scope_of
from engine.language.longest import Values, longest
from engine.language.model import (
    Catalog,
    Channel,
    Count,
    Enters,
    FieldType,
    Happens,
    Leaves,
    Pattern,
    Policy,
    Product,
    Rule,
    StaysIn,
    Test,
    Total,
)
from engine.language.moments import parts_of
from engine.language.source import Mapping


@dataclass(frozen=True, slots=True)
class MessageCost:
    """One message of a rule at its longest."""

    rule: str
    number: int
    """Its place under `send`, from 1."""
    channel: Channel
    characters: int
    parts: int
    """SMS parts; 1 of an MMS; 0 of a task for people."""
    yuan: float | None
    """What one message costs; None if policy.yaml does not say, or for a task."""


def values_of(when: Pattern, root: Mapping, product: Product | None, catalog: Catalog) -> Values:
    """Return what the texts of a rule can quote. `root`: the rule's file."""
    totals = [part.type for part in _every(when) if isinstance(part, Total)]
    total: FieldType = totals[0] if totals else "number"
    places = place_names(when, catalog)
    return Values(scope_of(root.get("when")), product, places, total, tuple(catalog.products))


def place_names(when: Pattern, catalog: Catalog) -> tuple[str, ...]:
    """Return the names that `{place.name}` can stand for: of the places that a pattern is about."""
    keys: dict[str, None] = {}
    for part in _every(when):
        if isinstance(part, Enters | Leaves | StaysIn):
            keys.update(dict.fromkeys(part.members))
        elif isinstance(part, Happens | Count | Total):
            keys.update((str(key), None) for test in part.where if _asks_place(test) for key in test.values)
    return tuple(catalog.places[key].name for key in keys if key in catalog.places)


def message_costs(rule: Rule, root: Mapping, catalog: Catalog, policy: Policy) -> Iterator[MessageCost]:
    """Yield the messages of a rule, as they are written."""
    values = values_of(rule.when, root, catalog.products.get(rule.offer.product), catalog)
    for number, message in enumerate(rule.offer.send, 1):
        found = longest(message.text, values)
        parts = {"sms": found.parts, "mms": 1, "manual": 0}[message.channel]
        yuan = cost_of(message.channel, parts, policy)
        yield MessageCost(rule.name, number, message.channel, len(found.text), parts, yuan)


def cost_of(channel: Channel, parts: int, policy: Policy) -> float | None:
    """Return what a message costs, in yuan; None if policy.yaml does not say. An MMS is one part."""
    price = policy.cost.get(channel)
    return None if price is None else round(price * parts, 6)


def _asks_place(test: Test) -> bool:
    return test.field == "place" and test.op == "is"


def _every(pattern: Pattern) -> Iterator[Pattern]:
    yield pattern
    for part in parts_of(pattern):
        yield from _every(part)
