"""Canonical events: what the engine folds."""

from __future__ import annotations

from typing import Any


class Event:
    """One record of the log, ready to be folded. Built by `engine.intake`; changed by treatments at most.

    A plain slotted object: a frozen dataclass costs 3 µs per record (facts/performance.md).
    """

    __slots__ = ("cell", "fields", "id", "key", "kind", "position", "seen", "source", "t")

    def __init__(
        self,
        kind: str,
        t: int,
        key: str,
        fields: dict[str, Any],
        cell: str | None = None,
        seen: int | None = None,
        id: str | None = None,
        source: str = "",
        position: str = "",
    ) -> None:
        self.kind = kind
        self.t = t
        """µs UTC; of a finished call or session its end."""
        self.key = key
        """Subscriber key (32 hex digits); empty for ticks and rule switches."""
        self.fields = fields
        """The whole log record, parsed."""
        self.cell = cell
        self.seen = t if seen is None else seen
        """When the subscriber was at `cell`: `t_start` if given, else `t`."""
        self.id = id
        self.source = source
        self.position = position
