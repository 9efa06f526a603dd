"""What the takers of notifications share: marks, times, refusals without identities, answers of problems."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from http import HTTPStatus
from typing import Any, Final

import orjson

from connectors.push.door import PushDoor
from connectors.push.http_door import DURABLE, Answer, Request
from connectors.push.remembered import MARK
from engine.event import Event
from engine.field_checks import DEPTH_AT_MOST, deeper_than
from engine.intake import Intake
from engine.refusals import Bad, describe, quote

Fields = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_IDENTITIES: Final = frozenset(
    (
        *("supi", "gpsi", "pei", "msisdn", "msisdns", "externalId", "externalIds", "excludeSupiList"),
        *("device", "phoneNumber", "networkAccessIdentifier", "ipv4Addr", "ipv6Addr", "ueIdExt", "impi"),
    )
)
"""Keys whose values name a person, or may: they are not kept of what is refused."""
HIDDEN: Final = "<identity>"


class Notices(ABC):
    """Base of takers of notifications: one request, several notices in it, one record or more of each."""

    what = "notification"

    def __init__(self, name: str) -> None:
        self.name = name
        self.intake: Intake
        self.door: PushDoor

    def open(self, intake: Intake, door: PushDoor) -> None:
        """Work with an intake from now on."""
        self.intake, self.door = intake, door
        self._hash = blake2b(self.what.encode() + b"\0", digest_size=MARK, key=intake.identity.key)

    def unknown_media(self, request: Request) -> str:
        """Say what was expected in place of the request's media type; empty if it is a known one."""
        is_json = request.media == "application/json"
        return "" if is_json else "expected application/json, was another media type"

    @abstractmethod
    def notices(self, request: Request) -> list[Any]:
        """Return what a request holds, checked later; raise `Bad` if it is no notification at all."""

    @abstractmethod
    def mark_of(self, notice: Mapping[str, Any], request: Request, number: int) -> bytes:
        """Return the mark by which a notice is known when it comes again; raise `Bad` if it has none.

        `number`: of the notice in its request, from 1.
        """

    def repeated(self, found: list[Any], request: Request) -> Collection[int]:
        """Return which of the notices, from 1, have come before, though no mark of theirs can tell it."""
        return ()

    @abstractmethod
    def records(self, notice: Mapping[str, Any], request: Request) -> Iterable[Fields]:
        """Return the records of a notice, none if it says nothing about a subscriber; raise `Bad`."""

    def problem(self, answer: Answer) -> tuple[bytes, bytes]:
        """Return media type and body of a problem: ProblemDetails of TS 29.571, RFC 9457."""
        details: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(answer.status).phrase,
            "status": answer.status,
            "detail": answer.detail,
        }
        if answer.status in _CAUSES:
            details["cause"] = _CAUSES[answer.status]
        return b"application/problem+json", orjson.dumps(details)

    def take(self, request: Request, events: list[Event]) -> Answer:
        """Add the events of a request to `events` and return its answer."""
        place = f"{self.name}:{request.number}"
        try:
            found = self.notices(request)
        except Bad as bad:
            if self.door.is_new(self.mark(b"bad", request.body)):
                self._refuse(bad, place, _shown(request.body))
            return Answer(400, f"{bad.field}: expected {bad.expected}, was {bad.was or 'nothing'}")
        known = self.repeated(found, request)
        self.door.counts["again"] += len(known)
        for number, notice in enumerate(found, 1):
            if number in known:
                continue
            mark = f"#{number}" if len(found) > 1 else ""
            self._one(notice, request, number, place + mark, events)
        return DURABLE

    def _one(self, notice: Any, request: Request, number: int, place: str, events: list[Event]) -> None:
        try:
            if not isinstance(notice, dict):
                raise Bad("an object", describe(notice), field=self.what)
            mark = self.mark_of(notice, request, number)
        except Bad as bad:
            # without an id of its own it is known by what it is
            if self.door.is_new(self.mark(b"bad", orjson.dumps(notice))):
                self._refuse(bad, place, _hidden(notice))
            return
        if not self.door.is_new(mark):
            return
        try:
            made = list(self.records(notice, request))
        except Bad as bad:
            self._refuse(bad, place, _hidden(notice))
            return
        if not made:
            self.door.counts["notices"] += 1
        for which, fields in enumerate(made):
            # the second record of a notice has an id of its own
            fields["id"] = (mark if not which else self.mark(mark, b"%d" % which)).hex()
            event = self.intake.record(fields, self.name, place)
            if event is not None:
                events.append(event)

    def _refuse(self, bad: Bad, place: str, raw: bytes | str) -> None:
        detail = f"{bad.field}: expected {bad.expected}, was {bad.was or 'nothing'}"
        self.intake.refuse(bad.reason, detail, self.name, place, raw)

    def mark(self, *parts: bytes) -> bytes:
        """Return the keyed hash of some bytes: who has not the key can't tell them from it."""
        mark = self._hash.copy()
        for part in parts:
            mark.update(len(part).to_bytes(4, "big") + part)
        return mark.digest()


def parsed(body: bytes) -> Any:
    """Return the JSON of a body; raise `Bad`."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Bad("JSON", f"not, at character {error.pos}", "json", "body") from None
    if deeper_than(found, DEPTH_AT_MOST):
        raise Bad(f"at most {DEPTH_AT_MOST} levels", "deeper", "depth", "body")
    return found


def text_of(notice: Mapping[str, Any], name: str, *, field: str = "") -> str:
    """Return a text that has to be there; raise `Bad`."""
    value = notice.get(name)
    if not isinstance(value, str) or not value:
        raise Bad("text", describe(value) if value != "" else "empty", field=field or name)
    return value


def object_of(notice: Mapping[str, Any], name: str, *, field: str = "") -> dict[str, Any]:
    """Return an object that has to be there; raise `Bad`."""
    value = notice.get(name)
    if not isinstance(value, dict):
        raise Bad("an object", describe(value), field=field or name)
    return value


def objects_of(notice: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects of a list; empty if there is none."""
    value = notice.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def micros(text: Any, field: str) -> int:
    """Return a time of RFC 3339 in µs UTC; raise `Bad`, also for one without an offset: whose hour is it?"""
    if not isinstance(text, str):
        raise Bad("a time of RFC 3339", describe(text), "time", field)
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise Bad("a time of RFC 3339", quote(text), "time", field) from None
    if moment.tzinfo is None:
        raise Bad(
            "a time of RFC 3339 with its offset, as in 2026-09-07T08:30:00Z", quote(text), "time", field
        )
    return (moment - _EPOCH) // _MICRO


def whole(value: Any) -> int | None:
    """Return a whole number; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_CAUSES: Final = {
    400: "INVALID_MSG_FORMAT",
    404: "RESOURCE_URI_STRUCTURE_NOT_FOUND",
    413: "INCORRECT_LENGTH",
    503: "NF_CONGESTION",
}
"""Causes of TS 29.500, table 5.2.7.2-1."""


def _hidden(notice: Any) -> bytes:
    """Return a notice as JSON without what names a person."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: HIDDEN if key in _IDENTITIES else walk(inner) for key, inner in value.items()}
        return [walk(inner) for inner in value] if isinstance(value, list) else value

    return orjson.dumps(walk(notice))


def _shown(body: bytes) -> bytes:
    """Return a body that is refused whole: without what names a person if it is JSON."""
    try:
        return _hidden(parsed(body))
    except Bad:
        return body


Rule = Callable[[Mapping[str, Any], Fields], None]
