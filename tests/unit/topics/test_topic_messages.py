"""Messages of a topic: canonical JSON as it was, CloudEvents around it, single records, options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.unit.topics.support import IMSI, PROBE, Desk, T, map_of

RECORD: dict[str, Any] = {"kind": "loc.sight", "t": T, "imsi": IMSI, "cell": "460-00-1-1"}
EVENT = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"e-1"),
    ("ce_time", b"2026-09-07T00:13:20.000001Z"),
    ("ce_type", b"loc.update"),
    ("ce_source", b"amf-3"),
    ("content-type", b"application/json"),
]


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in RECORD.items() if name not in names}


def test_headers_serve_what_a_record_does_not_say() -> None:
    desk = Desk()
    found = desk.fields(without("kind", "t"), headers=EVENT)
    assert {"kind": "loc.update", "t": T + 1, "id": "e-1", "source": "amf-3"}.items() <= found.items()
    own = desk.fields({**RECORD, "id": "own", "source": "own"}, headers=EVENT)
    assert {"kind": "loc.sight", "t": T, "id": "own", "source": "own"}.items() <= own.items()
    assert desk.fields(RECORD, headers=[("else", b"x"), ("ce_id", None)])["source"] == "feed"


def test_the_records_of_an_array_have_ids_of_their_own() -> None:
    desk = Desk()
    events = desk.read([RECORD, 5, {**RECORD, "id": "own"}, RECORD], headers=EVENT)
    assert [event.id for event in events] == ["e-1#1", "own", "e-1#4"]
    assert [(place, reason) for place, reason, _ in desk.said()] == [("feed:0:0#2", "type")]


def test_headers_that_do_not_fit() -> None:
    desk = Desk()
    assert desk.read(without("t"), headers=[("ce_time", b"noon")]) == []
    assert desk.read(without("kind"), headers=[("ce_type", b"com.example.attach")]) == []
    assert [said[:2] for said in desk.said()] == [("feed:0:0", "time"), ("feed:0:1", "kind")]
    # a time that is not needed is not looked at
    assert desk.fields(RECORD, headers=[("ce_time", b"noon"), ("ce_id", b"\xff")])["id"] == "�"


@pytest.mark.parametrize(
    "raw", [b"{", b"null", b"5", b'"x"', b"[]", b"[null]", b"[[{}]]", b"\xff", b"[1,", b'{"kind": 5}']
)
def test_headers_change_nothing_of_what_is_refused(raw: bytes) -> None:
    plain, headed = Desk(), Desk()
    assert plain.read(raw) == headed.read(raw, headers=[("ce_id", b"x")]) == []
    assert [said[:2] for said in plain.said()] == [said[:2] for said in headed.said()]


def test_one_record_of_a_message_can_be_had_alone() -> None:
    desk = Desk()
    [event] = desk.read([{**RECORD, "id": "a"}, {**RECORD, "id": "b"}], only=2)
    assert (event.id, event.position) == ("b", "feed:0:0#2")
    assert desk.read([RECORD], only=2) == []


def test_a_tombstone_tells_nothing(tmp_path: Path) -> None:
    for desk in (Desk(), Desk(map_of(tmp_path, PROBE))):
        sent: Any = type("Sent", (), {"value": None, "key": b"k", "headers": (), "timestamp": 1})
        assert desk.messages.read(sent, 0, 0) == []
        assert desk.refusals == []


def test_arrays_of_thousands_of_records() -> None:
    desk = Desk()
    records = [{**RECORD, "id": str(number)} for number in range(9_500)]
    raw = orjson.dumps(records)
    assert 900_000 < len(raw) < 1 << 20
    assert [event.id for event in desk.read(raw)] == [str(number) for number in range(9_500)]
