"""Changing the rules at a place of the log, for all or, with a canary, for some (ADR 18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import warm
from engine.canary import Canary
from engine.errors import LogError
from engine.event import Event
from engine.language import words
from engine.rulebook import Rulebook

if TYPE_CHECKING:
    from engine.pipeline import Fold


def switch(fold: Fold, event: Event) -> None:
    """Change the rules; subscribers are re-armed when they are next touched.

    A switch to a set that nobody published, or with a canary that is neither a share nor a place of it,
    changes nothing and is counted (`unknown rules`, `unknown canary`).
    """
    if fold.muted:
        _meet_canary(fold, event)
        return
    name, spec = event.fields.get("hash"), event.fields.get("canary")
    if not isinstance(name, str) or (name == fold.base.hash and fold.canary is None):
        return
    newer = fold.book_of(name)
    if newer is None:
        fold.outcomes["unknown rules"] += 1
        return
    base, canary = newer, None
    if spec is not None and newer is not fold.base:
        try:
            base, canary = fold.base, Canary(newer, str(spec), event.position)
        except words.Unreadable:
            fold.outcomes["unknown canary"] += 1
            return
    fold.older = fold.in_force
    fold.switched_at = fold.feeds.watermark
    newest = (newer,) if canary is None else (base, newer)
    fold.warming = warm.compare(fold.older, newest, fold.switched_at, fold.kept_since, fold.warming)
    enforce(fold, base, canary)


def enforce(fold: Fold, base: Rulebook, canary: Canary | None) -> None:
    """Have these sets in force from here on."""
    fold.base, fold.canary, fold.book = base, canary, base
    fold.settled = base.hash if canary is None else ""
    fold.near = warm.near_of(fold.in_force)
    fold.horizon = max(fold.near.values())
    for key in list(fold.subscribers):
        fold.subscriber(key)


def unpack(fold: Fold, packed: dict[str, Any]) -> Canary:
    """Read what `Canary.pack` wrote; raise `LogError` if its set is not among the published."""
    book = fold.book_of(packed["hash"])
    if book is None:
        raise LogError(f"rules {packed['hash']}: expected to be among the published, was not found")
    return Canary(book, packed["canary"], packed["mark"])


def _meet_canary(fold: Fold, event: Event) -> None:
    """While a lost store is rebuilt: from its switch on, the canary of the mark is in force again."""
    due = fold.due_canary
    if due is not None and due["mark"] == event.position:
        fold.due_canary = None
        enforce(fold, fold.base, unpack(fold, due))
