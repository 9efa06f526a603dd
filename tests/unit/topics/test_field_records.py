"""Messages become records by a field map; bad ones are refused by place, field and path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.field_records import RECORDS_AT_MOST
from tests.unit.topics.support import IMSI, PROBE, Desk, T, map_of, probe


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(map_of(tmp_path, PROBE))


def flat(**fields: Any) -> dict[str, Any]:
    """A map without `each`, with these fields beside time and identity."""
    given = {"t": {"path": "t", "type": "time", "format": "epoch us"}, "imsi": {"path": "imsi"}, **fields}
    return {"map": "flat", "source": "flat", "kind": "data.session", "fields": given}


def message(**fields: Any) -> dict[str, Any]:
    return {"t": T, "imsi": IMSI, **fields}


def test_a_nested_message_becomes_records(desk: Desk) -> None:
    sent = probe()
    sent["events"].append({**sent["events"][0], "type": "HO", "rat": "10", "ts": T // 1_000 + 5})
    first, second = desk.read(sent)
    assert desk.refusals == []
    assert (first.kind, first.t, first.cell, first.position) == ("loc.update", T, "460-00-1234", "feed:0:0#1")
    assert {"tac": 0x1A2B, "rat": "LTE", "source": "probe"}.items() <= first.fields.items()
    assert (second.kind, second.t, second.fields["rat"]) == ("loc.handover", T + 5_000, "NR")
    assert first.key == second.key == desk.messages._intake.identity.of_imsi(IMSI)
    assert "enb" not in first.fields


def test_bad_records_are_refused_one_by_one(desk: Desk) -> None:
    sent = probe()
    [good] = sent["events"]
    bad = [{**good, "ts": "noon"}, {**good, "rat": 7}, 5, {**good, "loc": {"tac": "G"}}, {**good, "ts": None}]
    sent["events"] = [*bad, good, {"type": "PAGING"}]
    [event] = desk.read(sent)
    assert event.position == "feed:0:0#6"
    assert desk.said() == [
        ("feed:0:0#1", "time", "t (ts): expected a time as epoch ms, was 'noon'"),
        ("feed:0:0#2", "value", "rat: expected one of 6, 10, was '7'"),
        ("feed:0:0#3", "type", "record: expected an object, was a whole number"),
        ("feed:0:0#4", "number", "tac (loc.tac): expected a hexadecimal number, was 'G'"),
        ("feed:0:0#5", "type", "t (ts): expected a value, was nothing"),
    ]
    assert desk.read({"header": {}, **probe(imsi=None)}) == []
    assert desk.said() == [("feed:0:1#1", "type", "imsi ($.header.imsi): expected a value, was nothing")]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"header": {}}, [("feed:0:0", "type", "each (events): expected an array, was nothing")]),
        ({"events": 3}, [("feed:0:0", "type", "each (events): expected an array, was a whole number")]),
        ({"events": {"a": 1}}, [("feed:0:0", "type", "each (events): expected an array, was a mapping")]),
        ({"events": None}, []),
        ({"events": []}, []),
        (b"{broken", [("feed:0:0", "json", "expected JSON")]),
        (b"null", [("feed:0:0", "type", "each (events): expected an array, was nothing")]),
        (b'{"a": NaN}', [("feed:0:0", "nan", "expected finite numbers")]),
        (b'"\xff"', [("feed:0:0", "utf8", "expected UTF-8")]),
        (b" " * ((1 << 20) + 1), [("feed:0:0", "size", "expected at most 1048576 bytes, was 1048577")]),
    ],
)
def test_messages_without_records(desk: Desk, sent: Any, said: list[tuple[str, str, str]]) -> None:
    assert desk.read(sent) == []
    found = desk.said()
    assert [(place, reason) for place, reason, _ in found] == [(place, reason) for place, reason, _ in said]
    assert all(
        detail.startswith(expected) for (_, _, detail), (_, _, expected) in zip(found, said, strict=True)
    )


def test_an_array_of_messages_is_numbered_through(desk: Desk) -> None:
    one, two = probe(), probe()
    two["events"] *= 2
    assert [event.position for event in desk.read([one, two])] == [
        f"feed:0:0#{number}" for number in (1, 2, 3)
    ]
    [last] = desk.read([one, two], only=3)
    assert last.position == "feed:0:1#3"


def test_more_records_than_fit_are_refused_as_a_whole(desk: Desk) -> None:
    assert desk.read({"events": [0] * (RECORDS_AT_MOST + 1)}) == []
    assert desk.said() == [
        ("feed:0:0", "size", f"records: expected at most 20000, was {RECORDS_AT_MOST + 1}")
    ]


def test_the_id_is_of_the_natural_key_else_of_the_place(tmp_path: Path) -> None:
    desk = Desk(map_of(tmp_path, {**PROBE, "id": ["$.header.seq", "ts"]}))
    first, second = desk.fields(probe(seq=1)), desk.fields(probe(seq=1))
    other, without = desk.fields(probe(seq=2)), desk.fields(probe())
    assert first["id"] == second["id"] != other["id"]
    assert without["id"] not in (first["id"], other["id"])
    desk = Desk(map_of(tmp_path, PROBE))
    assert [desk.fields(probe())["id"] for _ in range(2)] == ["feed:0:0#1", "feed:0:1#1"]
    # a topic that was made anew has the same places
    desk.messages.id = "kafkas-id"
    assert desk.fields(probe())["id"] == "kafkas-id:0:2#1"
    desk = Desk(map_of(tmp_path, {**flat(), "id": ["nothing"]}))
    assert desk.fields(message())["id"] == "feed:0:0"


@pytest.mark.parametrize(
    ("spec", "value", "found"),
    [
        ({"path": "x"}, " a ", "a"),
        ({"path": "x"}, 12, "12"),
        ({"path": "x"}, True, "true"),
        ({"path": "x"}, 1.5, "1.5"),
        ({"path": "x"}, 12.0, "12"),
        ({"path": "x", "lower": "yes"}, "CMNET", "cmnet"),
        ({"path": "x", "empty": ["-"]}, "-", None),
        ({"path": "x"}, "", None),
        ({"path": "x"}, None, None),
        ({"path": "x", "slice": "1-3"}, "abcdef", "abc"),
        ({"path": "x", "type": "host"}, "http://A.example.com/x", "a.example.com"),
        ({"path": "x", "values": {"true": "yes"}, "otherwise": "drop"}, True, "yes"),
        ({"path": "x", "values": {"true": "yes"}, "otherwise": "drop"}, False, None),
        ({"path": "x", "values": {"1": "a"}, "otherwise": "keep"}, 2, "2"),
        ({"path": "x", "when": {"path": "imsi", "is": IMSI}}, "a", "a"),
        ({"path": "x", "when": {"path": "imsi", "is": "1"}}, "a", None),
        ([{"path": "y"}, {"path": "x"}], "a", "a"),
        ([{"path": "y"}, {"constant": "c"}], "a", "c"),
        ({"path": "@key"}, "a", "the key"),
        ({"path": "@headers.h"}, "a", "head"),
    ],
)
def test_values_are_read_as_in_column_maps(spec: Any, value: Any, found: Any, tmp_path: Path) -> None:
    desk = Desk(map_of(tmp_path, flat(apn=spec)))
    read = desk.fields(message(x=value), key=b"the key", headers=[("h", b"head")])
    assert read.get("apn") == found


@pytest.mark.parametrize(
    ("type", "value", "found"),
    [
        ("int", 5, 5),
        ("int", "5", 5),
        ("int", 5.0, 5),
        ("bytes", 0, 0),
        ("hex", "1F", 31),
        ("hex", "0x1f", 31),
        ("hex", 31, 31),
        ("int", 5.5, "expected a whole number, was '5.5'"),
        ("int", True, "expected a whole number, was 'true'"),
        ("int", [5], "expected a single value, was a list"),
        ("int", {"a": 5}, "expected a single value, was a mapping"),
        ("bytes", -1, "expected a whole number of 0 or more, was '-1'"),
        ("int", "9" * 20, "expected a whole number, was <"),
    ],
)
def test_numbers(type: str, value: Any, found: Any, tmp_path: Path) -> None:
    desk = Desk(map_of(tmp_path, flat(lac={"path": "x", "type": type})))
    events = desk.read(message(x=value))
    if isinstance(found, int):
        assert [event.fields["lac"] for event in events] == [found]
    else:
        [(_, _, detail)] = desk.said()
        assert detail.replace("'<digits>'", "<").startswith(f"lac (x): {found}")


@pytest.mark.parametrize(
    ("format", "value", "micros"),
    [
        ("epoch s", 1_788_740_000, T),
        ("epoch s", 1_788_740_000.25, T + 250_000),
        ("epoch ms", "1788740000000", T),
        ("epoch us", T, T),
        ("iso", "2026-09-07T00:13:20Z", T),
        ("iso", "2026-09-07T08:13:20.5+08:00", T + 500_000),
        ("iso", "2026-09-07 08:13:20", T),
        ("%Y%m%d%H%M%S", 20260907081320, T),
    ],
)
def test_times(format: str, value: Any, micros: int, tmp_path: Path) -> None:
    data = flat(t={"path": "t", "type": "time", "format": format})
    desk = Desk(map_of(tmp_path, {**data, "utc_offset": "+08:00"}))
    assert desk.fields(message(t=value))["t"] == micros


@pytest.mark.parametrize("value", ["2026-09-07", "2026-13-07T00:00:00Z", "soon", "2026-09-07T25:00:00Z", ""])
def test_what_is_no_time(value: str, tmp_path: Path) -> None:
    desk = Desk(map_of(tmp_path, flat(t={"path": "t", "type": "time", "format": "iso", "required": "yes"})))
    assert desk.read(message(t=value)) == []
    [(_, _, detail)] = desk.said()
    assert detail.startswith("t: expected a time like 2026" if value else "t (t): expected a value")


def test_sums_and_templates_come_after_what_they_are_made_of(tmp_path: Path) -> None:
    data = flat(
        t={"sum": {"t_start": "1", "ms": "1000"}},
        t_start={"path": "from", "type": "time", "format": "epoch us"},
        cell={"template": "460-00-{lac}-{ci}", "required": "yes"},
        lac={"path": "lac", "type": "int"},
    )
    data["helpers"] = {"ci": {"path": "ci", "type": "int"}, "ms": {"path": "ms", "type": "int"}}
    desk = Desk(map_of(tmp_path, data))
    found = desk.fields(message(**{"from": T, "ms": 1_500, "lac": 7, "ci": 9}))
    assert (found["t"], found["cell"]) == (T + 1_500_000, "460-00-7-9")
    assert desk.read(message(**{"from": T, "ms": 1, "lac": 7})) == []
    assert desk.said() == [("feed:0:1", "type", "cell: expected a value, was nothing")]


def test_the_kind_is_found_by_values_within_values_and_by_what_is_there(tmp_path: Path) -> None:
    data = {
        **flat(),
        "kind": {
            "path": "group",
            "values": {"power": {"present": {"on": "power.on", "off": "power.off"}}, "1": "loc.update"},
        },
    }
    desk = Desk(map_of(tmp_path, data))
    assert desk.fields(message(group="power", off={}))["kind"] == "power.off"
    assert desk.fields(message(group="power", on=0, off={}))["kind"] == "power.on"
    assert desk.fields(message(group=1))["kind"] == "loc.update"
    for sent in (message(group="power"), message(group="x"), message(), message(group=[1])):
        assert desk.read(sent) == []
    assert [(reason, detail) for _, reason, detail in desk.said()] == [
        ("value", "kind: expected one of on, off, was none of them"),
        ("value", "kind (group): expected one of power, 1, was 'x'"),
        ("value", "kind (group): expected one of power, 1, was nothing"),
        ("type", "kind (group): expected a single value, was a list"),
    ]


def test_elements_that_are_no_objects(tmp_path: Path) -> None:
    data = {**flat(), "each": "cells", "kind": "loc.sight"}
    data["fields"] = {
        "t": {"path": "$.t", "type": "time", "format": "epoch us"},
        "imsi": {"path": "$.imsi"},
        "cell": {"path": "."},
    }
    events = Desk(map_of(tmp_path, data)).read(message(cells=["460-00-1-1", "460-00-1-2"]))
    assert [event.cell for event in events] == ["460-00-1-1", "460-00-1-2"]


def test_nothing_that_names_a_person_is_in_a_refusal(desk: Desk) -> None:
    sent = probe()
    sent["events"][0].update(ts=IMSI, imei="35925406123456", name={"msisdn": "+8613912345678"})
    assert desk.read(sent) == []
    [refusal] = desk.refusals
    text = orjson.dumps(refusal.as_dict()).decode()
    assert not any(number in text for number in (IMSI, "35925406123456", "13912345678"))
