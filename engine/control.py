"""What records say about the subscriber: profile, consent, suppression, receipts (semantics.md 4.4, 4.8).

Control records apply in the order of the log whatever their `t`: they move no clock, fire no timer, and are
not tested for lateness or copies (1.3).
"""

from __future__ import annotations

from collections.abc import Mapping

from engine import ledger
from engine.event import Event
from engine.language.model import Policy
from engine.localtime import is_timezone
from engine.residence import erase
from engine.snapshot import Subscriber

FINAL_REJECTIONS = frozenset({"rejected"})
"""Receipt statuses that reject for good: the contact never was one."""


PROFILE_KINDS = frozenset({"profile.update", "consent.change"})
"""Control records that change what is kept of a profile."""


def apply(sub: Subscriber, event: Event) -> bool:
    """Apply a control record about a subscriber; True if it took a contact away."""
    fields = event.fields
    sub.gates_dirty = True
    if event.kind == "profile.update":
        for name, value in (fields.get("profile") or {}).items():
            if name == "timezone":
                _set_timezone(sub, value)
            elif value is None:
                sub.profile.pop(name, None)
            else:
                sub.profile[name] = value
        if "timezone" in fields:
            _set_timezone(sub, fields["timezone"])
        if fields.get("msisdn"):
            sub.bound, sub.bound_at = fields["msisdn"], event.t
        _set_consents(sub, fields.get("consent") or {})
    elif event.kind == "consent.change":
        consents = fields.get("consent") or {}
        _set_consents(sub, consents)
        marketing = consents.get("marketing")
        if marketing is True:
            sub.suppressed = False
        if marketing is not None:
            _choose(sub, event.t, wants=marketing)
    elif event.kind == "offer.receipt" and fields.get("status") in FINAL_REJECTIONS:
        return ledger.remove(sub, str(fields.get("decision")))
    return False


def _set_consents(sub: Subscriber, consents: Mapping[str, bool | None]) -> None:
    """Merge by purpose; None = now unknown, which refuses as no does."""
    for purpose, given in consents.items():
        if given is None:
            sub.consent.pop(purpose, None)
        else:
            sub.consent[purpose] = given
    erase(sub)


def _choose(sub: Subscriber, t: int, *, wants: bool) -> None:
    """Take note of their own word: a no stands until a yes that is not older."""
    if not wants:
        sub.choice = min(sub.choice, -t)
    elif t >= -sub.choice:
        sub.choice = t


def _set_timezone(sub: Subscriber, value: object) -> None:
    sub.timezone = value if isinstance(value, str) and is_timezone(value) else None


def business(sub: Subscriber, event: Event, policy: Policy) -> bool:
    """Apply a business record's own effect, before the rules on it are judged (7 l); True if it has one."""
    if event.kind == "product.bought":
        product = event.fields.get("product")
        held = sub.profile.get("products")
        products = list(held) if isinstance(held, list) else []
        if product is not None and product not in products:
            products.append(product)
        sub.profile["products"] = products
        sub.gates_dirty = True
        return True
    if event.kind == "complaint" or (
        event.kind == "sms.reply" and str(event.fields.get("text", "")).strip() in policy.opt_out
    ):
        sub.suppressed = True
        _choose(sub, event.t, wants=False)
        sub.gates_dirty = True
        return True
    return False
