"""A procedure of signaling from request to outcome, and the record that comes of it.

`t` is the time of its outcome, `t_start` that of the request; `result`: `success`, `failure`, `timeout` (no
answer seen within 15 s) or `unfinished` (the capture, or the context, ended before). Ids are keyed hashes of
what was captured - time, message, procedure - not of the file's name: a capture cut in two or merged with
another gives the same ids.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from connectors.pcap.capture import Frame

PATIENCE: Final = 15_000_000
"""µs: T3410 and T3430, by which a handset gives up an attach or an update (TS 24.301, table 10.2.1)."""
WAITING_AT_MOST: Final = 50_000
SUCCESS, FAILURE, TIMEOUT, UNFINISHED = "success", "failure", "timeout", "unfinished"


class Record(NamedTuple):
    """A record in intake shape, with `procedure` beside its fields."""

    frame: int
    """At which it was complete."""
    fields: dict[str, Any]


@dataclass(slots=True, eq=False)
class Procedure:
    """One procedure that was begun."""

    name: str
    kind: str
    source: str
    t: int
    frame: int
    id: str
    fields: dict[str, Any] = field(default_factory=dict)
    is_accepted: bool = False
    """The network has agreed; what is missing is that the handset says so."""
    owner: Any = None
    """Whose it is, so that the record can say what is known when it ends."""


class Stamp:
    """Makes ids; `key`: the secret of subscriber keys."""

    def __init__(self, key: bytes) -> None:
        self._hash = blake2b(b"capture\0", digest_size=8, key=key)

    def id(self, frame: Frame, message: bytes, procedure: str) -> str:
        """Return the id of a procedure that a message has begun."""
        hashed = self._hash.copy()
        hashed.update(f"{procedure}\0{frame.t}\0".encode() + message)
        return hashed.hexdigest()


class Waiting:
    """Procedures without an outcome so far, oldest first."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[int, Procedure] = OrderedDict()

    def add(self, procedure: Procedure) -> Procedure | None:
        """Take a procedure in; return the oldest if there are too many."""
        self._by_id[id(procedure)] = procedure
        return self._by_id.popitem(last=False)[1] if len(self._by_id) > WAITING_AT_MOST else None

    def end(self, procedure: Procedure) -> bool:
        """Take a procedure out; False if it has ended before."""
        return self._by_id.pop(id(procedure), None) is not None

    def overdue(self, now: int) -> list[Procedure]:
        """Take out those whose time is over; `now`: µs."""
        late = []
        for procedure in self._by_id.values():
            if procedure.t + PATIENCE >= now:
                break
            late.append(procedure)
        for procedure in late:
            self.end(procedure)
        return late

    def rest(self) -> list[Procedure]:
        """Take all out."""
        rest = list(self._by_id.values())
        self._by_id.clear()
        return rest


def record_of(procedure: Procedure, t: int, frame: int, result: str, cause: str = "") -> Record:
    """Return the record of a procedure that ended at `t`, in a frame."""
    fields: dict[str, Any] = {
        "kind": procedure.kind,
        "t": max(t, procedure.t),
        **procedure.fields,
        "id": procedure.id,
        "source": procedure.source,
        "procedure": procedure.name,
    }
    if fields["t"] != procedure.t:
        fields["t_start"] = procedure.t
    if result:
        fields["result"] = result
    if cause:
        fields["cause"] = cause
    return Record(frame, fields)
