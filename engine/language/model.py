"""The compiled shape of what authors write: rules, catalogue, policy.

Everything here is a frozen value. The loader (`engine.language`) builds it from YAML and the engine reads it;
nothing in this file knows YAML or positions. Units: durations and windows in microseconds, money in yuan,
sizes in bytes (1,024-based when written as KB/MB/GB), percent 0 to 100, shares 0.0 to 1.0, times of day in
minutes since 00:00.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

FieldType = Literal[
    "text", "number", "money", "bytes", "percent", "duration", "yes/no", "set", "phone", "place"
]
Op = Literal["is", "not", "at_least", "at_most", "over", "under", "between"]
Value = str | int | float | bool
Channel = Literal["sms", "mms", "manual"]
Status = Literal["draft", "shadow", "live", "paused"]


@dataclass(frozen=True, slots=True)
class Test:
    """One line of `where`, `unless`, `who`, `except` or `if`: a field and what it is held against.

    `values`: `is`: one or more (any may match); `not`: none may; `between`: (low, high), both included; all
    others exactly one. Typed by `type`: text/set/phone/place -> str, yes/no -> bool, all else int or float in
    the unit of the type (duration in SECONDS here, as records carry it). `phone`: number lists are expanded,
    each literal normalised to digits. `place`: names of places, groups expanded in the group's order.
    """

    __test__ = False
    """No test class, whatever pytest thinks of its name."""

    field: str
    type: FieldType
    op: Op
    values: tuple[Value, ...]
    text: str
    """The test as written, e.g. `at least 30s`: shown by explain."""


# -- patterns ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Happens:
    event: str
    where: tuple[Test, ...] = ()
    unless: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Enters:
    place: str
    """As written: a place or a group."""
    members: tuple[str, ...]
    """The place itself, or the group's members in the group's order."""
    confirm: int = 0
    """The instant is only this long after the entry, if the visit still goes on; 0: at the entry itself."""

    resident: bool | None = None
    """Only who lives or works there, or only who does not (ADR 20); None: everybody."""

    def __repr__(self) -> str:
        """Write it; what is not given as before there was such: states are kept under the hash of it."""
        confirm = f", confirm={self.confirm!r}" if self.confirm else ""
        return f"Enters(place={self.place!r}, members={self.members!r}{confirm}{_written(self.resident)})"


@dataclass(frozen=True, slots=True)
class Leaves:
    place: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StaysIn:
    place: str
    members: tuple[str, ...]
    duration: int
    resident: bool | None = None
    """As of `Enters`."""

    def __repr__(self) -> str:
        """Write it; without `resident` as before there was one."""
        given = f"place={self.place!r}, members={self.members!r}, duration={self.duration!r}"
        return f"StaysIn({given}{_written(self.resident)})"


def _written(resident: bool | None) -> str:
    return "" if resident is None else f", resident={resident!r}"


@dataclass(frozen=True, slots=True)
class Count:
    event: str
    where: tuple[Test, ...]
    at_least: int
    within: int


@dataclass(frozen=True, slots=True)
class Total:
    event: str
    field: str
    type: FieldType
    where: tuple[Test, ...]
    at_least: int | float
    within: int


@dataclass(frozen=True, slots=True)
class Sequence:
    steps: tuple[Pattern, ...]
    within: int


@dataclass(frozen=True, slots=True)
class After:
    first: Pattern
    no: Pattern
    wait: int


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Pattern, ...]
    within: int


Pattern = Happens | Enters | Leaves | StaysIn | Count | Total | Sequence | After | AnyOf | AllOf


# -- a rule --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """One choice under `send:`; the first whose `if` holds is sent."""

    channel: Channel
    condition: tuple[Test, ...] = ()
    text: str = ""
    """The text with `{placeholders}`; of a manual message the `task`."""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Faq:
    ask: str
    answer: str


@dataclass(frozen=True, slots=True)
class Offer:
    product: str
    send: tuple[Message, ...]
    faq: tuple[Faq, ...] = ()


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` in `window` microseconds (1 d is 86,400 s)."""

    count: int
    window: int


Interval = tuple[int, int]
"""(start, end) in minutes of the day, half-open; end <= start runs over midnight."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a rule listens, by the subscriber's wall clock: on these days, at these times of day."""

    days: tuple[int, ...]
    """0 = Monday; sorted, at least one."""
    hours: tuple[Interval, ...]
    """Empty: the whole day. One that runs over midnight is cut there: each part is of its own day."""


@dataclass(frozen=True, slots=True)
class Limits:
    priority: int
    at_most: Cap
    send_within: int
    holdout: float
    """Share 0.0 to 1.0."""
    only_one_of: str | None = None
    quiet: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Goal:
    converts_when: Pattern
    within: int


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    title: str
    owner: str
    status: Status
    valid: tuple[date, date]
    """First and last day, both included."""
    when: Pattern
    who: tuple[Test, ...]
    excepts: tuple[Test, ...]
    offer: Offer
    limits: Limits
    goal: Goal
    approved_by: str = ""
    path: str = ""
    schedule: Schedule | None = None
    """Instants outside it are no instants. None: always."""


# -- catalogue and policy ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A subscriber field that rules may test."""

    name: str
    type: FieldType
    values: tuple[str, ...] = ()
    """The closed list of a field with `values:`; its type is then `text`."""
    say: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    key: str
    name: str
    """Shown to people: `{place.name}`."""
    cells: tuple[str, ...]
    leave_after: int = 0
    """A visit that a sighting outside puts in doubt ends this much later, µs; 0: at once (ADR 19)."""
    leave_sightings: int = 0
    """... or at this many sightings outside in a row; 0: they are not counted."""
    buffer: tuple[str, ...] = ()
    """Cells around it that neither begin nor end a visit."""

    @property
    def leaves_late(self) -> bool:
        """Whether a sighting outside may not be the end of a visit."""
        return bool(self.leave_after or self.leave_sightings or self.buffer)


@dataclass(frozen=True, slots=True)
class Product:
    key: str
    name: str
    price: float
    reply: str


@dataclass(frozen=True, slots=True)
class Catalog:
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """List name -> numbers as written, normalised to digits."""
    prefixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """List name -> beginnings of numbers in it, normalised; every list is in `numbers`, too."""
    products: Mapping[str, Product] = field(default_factory=dict)


HOUR = 3_600_000_000
MINUTE = 60_000_000
DAY = 24 * HOUR


HOME, WORK = "home", "work"
"""Fields of a profile that hold the cell where somebody lives, or works (ADR 20)."""


@dataclass(frozen=True, slots=True)
class Learn:
    """When people are at home, and at work (ADR 20); None: that is not learned."""

    home: Interval | None = None
    work: Interval | None = None
    """Mondays to Fridays."""


@dataclass(frozen=True, slots=True)
class Policy:
    window: int = 48 * HOUR
    timezone: str = "Asia/Shanghai"
    quiet: tuple[Interval, ...] = ()
    patience: int = 5 * MINUTE
    lapse: int = 58 * MINUTE
    """For a RAT that `lapse_by_rat` does not list, and for records without one."""
    lapse_by_rat: Mapping[str, int] = field(default_factory=dict)
    bridge: int = 4 * HOUR
    contact: tuple[Cap, ...] = ()
    contact_by_tier: Mapping[str, Cap] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)
    """only_one_of group -> cooldown in microseconds."""
    holdout: float = 0.0
    opt_out: tuple[str, ...] = ("TD", "R", "退订")
    """Replies that are an opt-out."""
    learn: Learn | None = None
    """Whether it is learned where subscribers live and work; None: not."""
    cost: Mapping[Channel, float] = field(default_factory=dict)
    """`sms`: yuan for each part; `mms`: for each message. What is not given is not known."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules of a folder with the catalogue and policy they were read with."""

    rules: Mapping[str, Rule]
    catalog: Catalog
    policy: Policy
    hash: str
    """32 hex digits over the texts that were read: the same files give the same hash on every machine."""
