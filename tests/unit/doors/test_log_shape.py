"""After intake nobody is named: property tests, and reading the log back."""

from __future__ import annotations

import re
import timeit
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.event_kinds import KINDS
from engine.refusals import quote, redact, shown_name
from tests.unit.doors.support import IMEI, IMSI, KEY, MSISDN, Desk, T, sight

PERSONAL = {"imsi", "msisdn", "imei", "imeisv", "subscriber"}
CANARIES = (IMSI, MSISDN[1:], MSISDN[3:], IMEI, "13800138000")

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([*CANARIES, "LTE", "start", "460-00-1-1", "10086", "x", ""]),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.booleans(), max_size=2),
)
names = sorted(
    {name for spec in KINDS.values() for name in (*spec.fields, *spec.maps)} | PERSONAL | {"t", "id"}
)


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Records that are right in part: known kinds and names, any values."""
    record = draw(st.dictionaries(st.sampled_from(names), values, max_size=6))
    record.setdefault("kind", draw(st.sampled_from(sorted(KINDS))))
    record.setdefault("t", T)
    record.setdefault("subscriber", "opaque")
    return record


@given(records())
@settings(max_examples=400)
def test_nothing_a_feed_can_send_raises_or_names_a_person(record: dict[str, Any]) -> None:
    desk = Desk()
    events = desk.read(record)
    assert len(events) + len(desk.refusals) == 1
    for event in events:
        fields = dict(event.fields)
        own = fields.pop("msisdn", None)
        assert own is None or event.kind == "profile.update"
        assert not PERSONAL & fields.keys()
        if "number" in fields:
            number = fields["number"]
            assert re.fullmatch(r"[0-9a-f]{32}", number) or sum(map(str.isdecimal, number)) <= 8
        orjson.dumps(event.fields)
    for refusal in desk.refusals:
        assert not any(canary in str(refusal) for canary in CANARIES)


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_no_bytes_raise(raw: bytes) -> None:
    desk = Desk()
    desk.read(raw)
    desk.intake.read_log(raw, "log", "0")
    desk.intake.profile_line(raw, "profiles", "1")


@given(records())
@settings(max_examples=200)
def test_an_event_reads_back_from_the_log_as_it_was(record: dict[str, Any]) -> None:
    desk = Desk()
    for event in desk.read(record):
        (back,) = desk.intake.read_log(orjson.dumps(event.fields), "log", event.position)
        for name in ("kind", "t", "key", "fields", "cell", "seen", "id", "source", "position"):
            assert getattr(back, name) == getattr(event, name)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"subscriber_key": None}, "identity"),
        ({"subscriber_key": "abc"}, "identity"),
        ({"number": "13912345678"}, "type"),
        ({"tac8": IMEI}, "type"),
        ({"t": 0}, "time"),
    ],
)
def test_a_record_that_is_not_in_log_shape_is_refused(change: dict[str, Any], reason: str) -> None:
    desk = Desk()
    record = {"kind": "call.in", "t": T, "subscriber_key": "0" * 32, "number": "10086", **change}
    assert desk.intake.read_log(orjson.dumps(record), "log", "0") == []
    assert desk.intake.refused == {reason: 1}


def test_a_feed_can_not_choose_a_subscriber_key() -> None:
    desk = Desk()
    assert desk.one(sight(subscriber_key="0" * 32)).key == desk.intake.identity.of_imsi(IMSI)
    assert desk.refusal(sight(imsi=None, subscriber_key="0" * 32)).reason == "identity"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b'{"imsi":"460001234567890"}', '{"imsi":"<digits>"}'),
        (b"12345678", "12345678"),
        (b"123456789", "<digits>"),
        (b"tel +86 139-1234-5678,", "tel +<digits>,"),
        (b'"\\u0034\\u0036\\u0030001234567890"', '"<digits>"'),
        ("４６０００１２３４５６７８９０".encode(), "<digits>"),
        (b"\xff460001234567890\xff", "�<digits>�"),
        (b'"138\\u00a01234\\u20135678","138\\/1234\\/5678"', '"<digits>","<digits>"'),
        (b"138\xa01234\xa1\xa15678", "<digits>"),
        ("13812345678".encode("utf-16-le"), "<digits>\0"),
    ],
)
def test_long_numbers_are_hidden(raw: bytes, shown: str) -> None:
    assert redact(raw) == shown


SPACES = "\u00a0\u1680\u2000\u2007\u2009\u200a\u202f\u205f\u3000\u200b\u2060\ufeff\u00ad"
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"
OTHERS = "_*./()\u00b7\u2022\u2027\u22c5\u30fb\uff65\uff08\uff09\uff0a\uff0e\uff0f\uff3f"


@pytest.mark.parametrize("between", [*f" {SPACES}{DASHES}{OTHERS}", " \u2013 ", ") "], ids=ascii)
def test_a_number_is_hidden_whatever_stands_between_its_groups(between: str) -> None:
    for written in (
        "138{0}1234{0}5678",
        "1{0}3{0}9{0}1{0}2{0}3{0}4{0}5{0}6{0}7{0}8",
        "１３８{0}１２３４{0}５６７８",
    ):
        assert redact(f"a {written.format(between)}x") == "a <digits>x"


@pytest.mark.parametrize("between", "\t\n\r,;:|\x01=T")
def test_what_parts_fields_and_times_parts_numbers(between: str) -> None:
    text = f"12345678{between}12345678{between}1"
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-07T08:30:00.123Z",
        "gn-2026-09-07.csv:12",
        "S1MME_20260907_083000.csv",
        "S1MME_20260907_0830.csv:1234",
        "xdr_2026-09-07_083000.csv",
        "touchpoint.events.v1:3:1234567",
        "partition 3, offset 1234567: expected 8 of 12",
    ],
)
def test_times_names_of_files_and_positions_stay_readable(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "text", ["20260907_0830_1", "1_20260907_0830", "20261307_0830", "20101231_0830", "20260907_2430"]
)
def test_what_only_looks_like_a_time_is_hidden(text: str) -> None:
    assert redact(text) == "<digits>"


@pytest.mark.parametrize("unit", ["1", "12345678,", "1_-*", "_", "\u00a0", "1 ", "\\u0031", "\\u"])
def test_hiding_takes_time_in_proportion_to_the_text(unit: str) -> None:
    text = unit * (4_000 // len(unit)) + "1"
    took = min(timeit.repeat(lambda: redact(text), number=1, repeat=5))
    assert took < 0.02


@pytest.mark.parametrize("before", range(3_960, 4_001))
@pytest.mark.parametrize(
    "number", ["460001234567890", "460_00\u00a0123４５67890", r"4600\u00a0012\u00a034567\u0038"]
)
def test_a_number_at_the_cut_is_hidden(before: int, number: str) -> None:
    text = "a" + "9" * (before - 2) + "," + number + "x" * 5_000
    for shown in (redact(text), redact(text.encode())):
        assert shown.startswith("a")
        assert not any(character.isdecimal() for character in shown)


@pytest.mark.parametrize("before", range(40, 60))
def test_a_quote_ends_with_no_piece_of_a_number(before: int) -> None:
    assert quote("9" * before + ",13812345678" + "x" * 40).strip("'").rstrip(",x") in (
        "",
        "<digits>",
        "<digits>,<digits>",
    )


def test_a_number_that_comes_near_by_hiding_others_is_hidden() -> None:
    raw = (b"1" * 3_990 + b"a" + b"460001234567890")[:4_005] + b"2" * 5_000
    assert "46000" not in redact(raw)


def test_a_name_with_a_number_is_told_from_others_that_look_alike() -> None:
    names = [f"S1MME_46000123456789{last}.csv" for last in range(10)]
    shown = [shown_name(name, KEY) for name in names]
    assert len(set(shown)) == 10
    assert {each.partition("~")[0] for each in shown} == {"S1MME_<digits>.csv"}
    assert all(each.partition("~")[2].isalpha() for each in shown)
    assert shown_name(names[0], b"another key") != shown[0]
    assert [shown_name(each, KEY) for each in (shown[0], "a-2026-09-07_0830.csv")] == [
        shown[0],
        "a-2026-09-07_0830.csv",
    ]


def test_the_mark_of_a_name_that_is_a_number_is_not_of_its_subscriber_key() -> None:
    desk = Desk()
    mark = shown_name(IMSI, KEY).partition("~")[2].translate(str.maketrans("ghijklmnop", "0123456789"))
    assert not (desk.intake.identity.of_imsi(IMSI) or "").startswith(mark[:6])


def test_a_source_that_a_record_names_itself_is_shown_without_its_number() -> None:
    desk = Desk()
    events = [desk.one(sight(source=f"S1MME_{IMSI}.csv", id=id)) for id in ("a", "b")]
    shown = shown_name(f"S1MME_{IMSI}.csv", KEY)
    assert [(event.source, event.fields["source"]) for event in events] == [(shown, shown)] * 2
