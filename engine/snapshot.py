"""The 48-hour snapshot: everything the engine knows of one subscriber.

Slotted, mutable, owned by the subscriber's lane; when a commit is refused it is thrown away and loaded again.
Presence rules live in `engine.presence`, the packed behaviours in `engine.history`, bytes in `engine.codec`.
Times are µs UTC. Every value below is made of plain JSON types, tuples and sets, so that the codec can write
it without knowing what it means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.event import Event
from engine.heat import Heat
from engine.history import History, append

if TYPE_CHECKING:
    from engine.residence import Habits

SECOND = 1_000_000
HOURS_48 = 48 * 3_600_000_000
NEVER = -1
"""`no time yet`: earlier than any time that intake lets pass."""

Trigger = tuple[str, str | None, str]
"""(source, id, position) of a record."""


class Subscriber:
    """State of one subscriber: profile, presence, waiting patterns, ledger, history."""

    __slots__ = (
        "bare",
        "bound",
        "bound_at",
        "business_ids",
        "cell",
        "choice",
        "clock",
        "consent",
        "contacts",
        "core_dirty",
        "derived",
        "doubts",
        "filed",
        "fired",
        "fired_at",
        "gap",
        "gates_dirty",
        "habits",
        "heat",
        "history",
        "holds",
        "ids",
        "inside",
        "key",
        "known_until",
        "nodes",
        "noted",
        "offs",
        "overdue",
        "packed_core",
        "packed_gates",
        "profile",
        "rat",
        "rules",
        "seen_at",
        "seen_pos",
        "seq",
        "suppressed",
        "timers",
        "timezone",
        "visits",
        "wake",
    )

    def __init__(self, key: str, rules: str = "") -> None:
        self.key = key
        self.rules = rules
        """Hash of the rule set these patterns are armed for."""
        self.clock = NEVER
        """Greatest `t` of the signaling, business and tick records applied (semantics 1.3)."""
        self.seq = 0
        """Number of records applied: the order of the log, as far as one subscriber sees it."""
        # -- presence (semantics 2) --
        self.seen_at = NEVER
        """Time of the last sighting."""
        self.seen_pos = 0
        self.gap = False
        """The last sighting was told late, and whereabouts had been unknown by then: sightings are told to
        the patterns, even if nothing changed, until one is not late."""
        self.cell: str | None = None
        self.rat: str | None = None
        self.known_until = NEVER
        """Last sighting + lapse: later than this the subscriber's whereabouts are unknown."""
        self.offs: list[tuple[int, int]] = []
        """(time, seq) of each power.off not older than the last sighting, sorted."""
        self.inside: tuple[str, ...] = ()
        """Places with an open visit after the last sighting, in the catalogue's order: those of its cell, and
        those that it does not end (ADR 19)."""
        self.doubts: dict[str, tuple[int, int, Trigger]] = {}
        """Place with an open visit -> since when sightings are outside, how many they are, the first one."""
        self.visits: dict[str, tuple[int, int, Trigger]] = {}
        """Open visits: place -> (opened, seq of the opening record, its trigger)."""
        # -- patterns (semantics 3) --
        self.nodes: dict[str, list[Any]] = {}
        """Pattern key -> what that pattern remembers."""
        self.derived: dict[str, list[Any]] = {}
        """The same of patterns that find theirs in the history again; not stored (engine.warm.derive)."""
        self.bare = False
        """Just read from the store: `derived` must be found again."""
        self.timers: dict[tuple[str, str], int] = {}
        """(pattern key, argument) -> due."""
        self.overdue: set[tuple[str, str]] = set()
        """Dwells (pattern key, place) whose mark passed while whereabouts were unknown."""
        self.wake = 0
        """No timer or hold end is due before this; 0 = none is armed."""
        self.noted = 0
        """The wake-up that stands in the lane's heap."""
        self.filed = 0
        """The wake-up or expiry that the lane wrote to the store; 0 = it has not."""
        self.ids = bytearray()
        """Ids of applied signaling records, the last hour of the clock (engine.copies, semantics 1.6)."""
        self.business_ids = bytearray()
        """Those of business records, 48 hours."""
        self.history = History()
        self.heat = Heat()
        # -- who it is: changes rarely, so its bytes are kept until it does --
        self.profile: dict[str, Any] = {}
        self.consent: dict[str, bool] = {}
        self.suppressed = False
        self.choice = 0
        """`t` of the last time they said themselves whether they want marketing: negative = no; 0 = never. A
        profile that somebody loads is no word of theirs."""
        self.timezone: str | None = None
        self.habits: Habits | None = None
        """Hours of nights and working days by cell, where they are learned (engine.residence)."""
        self.bound: str | None = None
        """MSISDN, needed to send."""
        self.bound_at = 0
        """`t` of the record that bound it, µs: a number may be bound to somebody else later."""
        # -- ledger (engine.ledger) --
        self.contacts: list[list[Any]] = []
        self.holds: list[dict[str, Any]] = []
        self.fired_at = NEVER
        self.fired: set[str] = set()
        """Rules that fired at the stamp `fired_at` (semantics 3: once per stamp)."""
        self.gates_dirty = True
        self.core_dirty = True
        """Visits, timers or what patterns remember changed since `packed_core` was written (engine.codec)."""
        self.packed_core = b""
        self.packed_gates = b""

    def keep(self, event: Event, places: tuple[str, ...] | None, flags: int, horizon: int) -> None:
        """Keep a record just applied: for 48 hours, or for `horizon` µs if that is given."""
        if self.heat.times and self.heat.is_hot(event.kind, self.clock):
            self.history.skipped = self.clock
            self.core_dirty = True
            return  # bounded: what a hot subscriber does more of is counted, not kept
        history, seq, clock = self.history, self.seq, self.clock
        segment = history.near_segment(clock, seq, horizon) if horizon else history.far[-1]
        if history.is_full(segment):
            history.skipped = clock
            self.core_dirty = True
            return
        append(history, segment, event, seq, clock, places, flags)
        if seq - segment.first > 60_000:
            history.far_until = -1
