"""The decision record, and the message's text (semantics.md 5)."""

from __future__ import annotations

from typing import Any

from engine.decision import Candidate
from engine.event_kinds import KINDS
from engine.rulebook import CompiledRule, Rulebook
from engine.sms import segments
from engine.snapshot import Subscriber
from engine.text import format_value

Decision = dict[str, Any]

_EVENT_TYPES = {name: field.type for spec in KINDS.values() for name, field in spec.fields.items()}


def record(
    book: Rulebook, sub: Subscriber, candidate: Candidate, outcome: str, reason: str | None, now: int
) -> Decision:
    """Write the record of one decision; `at` is the stamp, at a hold's end that end."""
    rule, message = candidate.rule, candidate.message
    text = subject = None
    if rule is not None and message is not None:
        values = placeholders(book, rule, candidate)
        text = message.text.render(values)
        if message.channel == "mms":
            subject = message.subject.render(values)
    seen = candidate.values
    if candidate.data or candidate.start is not None:
        match = dict(candidate.data or {})
        if candidate.start is not None:
            match["start"] = candidate.start
        seen = {**seen, "match": match}
    source, id, position = candidate.trigger
    decision: Decision = {
        "id": candidate.id,
        "rule": candidate.name,
        "rules_hash": book.hash,
        "subscriber_key": sub.key,
        "at": now,
        "outcome": outcome,
        "reason": reason,
        "arm": candidate.arm or None,
        "channel": message.channel if message is not None else None,
        "product": rule.rule.offer.product if rule is not None else None,
        "place": candidate.place,
        "text": text,
        "parts": segments(text).parts if message is not None and message.channel == "sms" and text else None,
        "due": candidate.due,
        "trigger": {"source": source, "id": id, "position": position},
        "values": seen,
    }
    if subject:
        decision["subject"] = subject
    return decision


def placeholders(book: Rulebook, rule: CompiledRule, candidate: Candidate) -> dict[str, str]:
    """Return the value of every placeholder a text of this rule may name, as text."""
    values: dict[str, str] = {}
    product = rule.product
    if product is not None:
        values["product.name"] = product.name
        values["product.price"] = format_value(product.price, "money")
        values["product.reply"] = product.reply
    if candidate.place is not None:
        place = book.catalog.places.get(candidate.place)
        values["place.name"] = place.name if place is not None else candidate.place
    data = candidate.data
    if data:
        if "count" in data:
            values["match.count"] = str(data["count"])
        if "total" in data:
            values["match.total"] = format_value(data["total"], rule.total_type)
        for name, value in data.get("event", {}).items():
            values["event." + name] = format_value(value, _EVENT_TYPES.get(name, "text"))
    return values
