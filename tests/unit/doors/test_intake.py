"""Records in, events out: what is taken, in which shape it leaves, and what is refused by which reason."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from engine.identity import Identity
from engine.intake import SIZE_AT_MOST, YEAR_2000, YEAR_2100, Intake
from engine.numbers import is_hash
from tests.unit.doors.support import IMEI, IMSI, MSISDN, Desk, T, sight


@pytest.fixture
def desk() -> Desk:
    return Desk()


# -- what is taken -------------------------------------------------------------------------------------------


def test_an_event_carries_the_record(desk: Desk) -> None:
    event = desk.one(
        {
            "kind": "call.out",
            "t": T,
            "t_start": T - 30_000_000,
            "imsi": IMSI,
            "id": "a1",
            "source": "msc",
            "cell": "460-00-1-1",
            "duration": 30,
        }
    )
    assert (event.kind, event.t, event.seen, event.cell) == ("call.out", T, T - 30_000_000, "460-00-1-1")
    assert (event.id, event.source, event.position) == ("a1", "msc", "p:1")
    assert event.key == desk.intake.identity.of_imsi(IMSI)


def test_fields_are_the_whole_log_record_and_nothing_else(desk: Desk) -> None:
    event = desk.one(sight(msisdn=MSISDN, imei=IMEI, rat="LTE", colour="red", lac=None, number="10086"))
    assert event.fields == {
        "kind": "loc.sight",
        "t": T,
        "cell": "460-00-1-1",
        "rat": "LTE",
        "source": "feed",
        "subscriber_key": event.key,
        "tac8": IMEI[:8],
    }


def test_an_array_holds_many_records(desk: Desk) -> None:
    events = desk.read([sight(), 7, sight(t="x"), sight(t=T + 1)])
    assert [(event.t, event.position) for event in events] == [(T, "p:1#1"), (T + 1, "p:1#4")]
    assert [refusal.position for refusal in desk.refusals] == ["p:1#2", "p:1#3"]


def test_an_empty_array_holds_none(desk: Desk) -> None:
    assert desk.read([]) == []
    assert desk.refusals == []


def test_the_imsi_wins_then_the_msisdn_then_the_feeds_id(desk: Desk) -> None:
    identity = desk.intake.identity
    assert desk.one(sight(msisdn=MSISDN, subscriber="x")).key == identity.of_imsi(IMSI)
    assert desk.one(sight(imsi=None, msisdn=MSISDN, subscriber="x")).key == identity.of_msisdn(MSISDN)
    assert desk.one(sight(imsi=None, msisdn=MSISDN, subscriber=IMSI)).key == identity.of_imsi(IMSI)
    assert desk.one(sight(imsi=None, subscriber="x")).key == identity.of_subscriber("x")
    assert desk.one(sight(imsi="", subscriber="x")).key == identity.of_subscriber("x")


def test_null_means_not_given(desk: Desk) -> None:
    record = {**sight(), "rat": None, "id": None, "t_start": None, "quality": None}
    event = desk.one(record)
    assert event.fields.keys() == {"kind", "t", "cell", "source", "subscriber_key"}
    assert event.seen == T


def test_a_whole_time_may_be_written_as_a_fraction(desk: Desk) -> None:
    event = desk.one(b'{"kind":"loc.sight","t":1.78874e15,"imsi":"460001234567890"}')
    assert event.t == T
    assert isinstance(event.t, int)


def test_numbers_of_others_are_normalised_and_hashed(desk: Desk) -> None:
    short = desk.one({"kind": "call.out", "t": T, "imsi": IMSI, "number": "+86 10086"})
    long = desk.one({"kind": "call.out", "t": T, "imsi": IMSI, "number": "139 1234 5678"})
    assert short.fields["number"] == "10086"
    assert long.fields["number"] == desk.intake.identity.number("13912345678")
    assert len(long.fields["number"]) == 32


def test_ticks_and_switches_are_about_nobody(desk: Desk) -> None:
    tick = desk.one({"kind": "tick", "t": T, "down": ["data.session"]})
    switch = desk.one({"kind": "rules.switch", "t": T, "hash": "0" * 32, "imsi": IMSI})
    assert (tick.key, tick.fields["down"]) == ("", ["data.session"])
    assert switch.key == ""
    assert IMSI not in str(switch.fields)


@pytest.mark.parametrize(
    ("imei", "tac8"),
    [
        ("35925406123456", "35925406"),
        ("359254061234560", "35925406"),  # 15th digit spare
        ("490154203237518", "49015420"),  # 15th digit Luhn's
        ("490154203237517", None),
        ("3592540612345678", "35925406"),  # IMEISV
        ("00000000000000", None),
        ("11111111111111", None),
        ("359254", None),
        ("35925406x23456", None),
    ],
)
def test_an_imei_leaves_its_tac_or_a_flag(desk: Desk, imei: str, tac8: str | None) -> None:
    event = desk.one(sight(imei=imei, quality=["late"]))
    assert event.fields.get("tac8") == tac8
    assert event.fields["quality"] == (["late"] if tac8 else ["late", "bad_imei"])


# -- what is refused -----------------------------------------------------------------------------------------

RECORD = b'{"kind":"loc.sight","t":1788740000000000,"subscriber":"x",'


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b'{"kind":"loc.sight"} trailing', "json"),
        (b'{"a":"\\ud800"}', "json"),
        (b'\xff{"a":1}', "utf8"),
        (RECORD + b'"cell":"\xc3("}', "utf8"),
        (RECORD + b'"lac":NaN}', "nan"),
        (RECORD + b'"lac":-Infinity}', "nan"),
        (RECORD + b'"lac":1e999}', "nan"),
        (RECORD + b'"note":"NaN}', "json"),
        (b"[" * 2000 + b"]" * 2000, "depth"),
        (RECORD + b'"cell":' + b"[" * 30 + b"]" * 30 + b"}", "depth"),
        (RECORD + b'"junk":' + b'{"a":' * 30 + b"1" + b"}" * 31, "depth"),
        (b"[" + b"[" * 30 + b"]" * 31, "depth"),
        (b" " * SIZE_AT_MOST + b"{}", "size"),
        (b'"text"', "type"),
        (b"null", "type"),
        (b"7", "type"),
    ],
)
def test_text_that_is_no_record_is_refused(desk: Desk, raw: bytes, reason: str) -> None:
    assert desk.refusal(raw).reason == reason
    assert desk.intake.refused == {reason: 1}


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        ({"kind": None}, "kind", "kind: expected a known kind, was nothing"),
        ({"kind": 7}, "kind", "kind: expected a known kind, was a whole number"),
        ({"kind": ["loc.sight"]}, "kind", "kind: expected a known kind, was a list"),
        ({"kind": "loc.nowhere"}, "kind", "kind: expected a known kind, was 'loc.nowhere'"),
        ({"t": None}, "type", "t: expected µs since 1970 (UTC), was nothing"),
        ({"t": True}, "type", "t: expected a whole number, was true or false"),
        ({"t": "2026"}, "type", "t: expected a whole number, was text"),
        ({"t": T + 0.5}, "type", "t: expected a whole number, was a fraction"),
        ({"t": YEAR_2000 - 1}, "time", "was earlier"),
        ({"t": YEAR_2100}, "time", "was later"),
        ({"t": T // 1_000}, "time", "was what looks like milliseconds"),
        ({"t": T // 1_000_000}, "time", "was what looks like seconds"),
        ({"t_start": T + 1}, "time", "t_start: expected a time not later than t, was later"),
        ({"t_start": 0}, "time", "t_start: expected µs since 1970 (UTC) from 2000 to 2099, was earlier"),
        ({"imsi": None}, "identity", "expected imsi, msisdn or subscriber, was none of them"),
        ({"imsi": "46000"}, "identity", "expected 15 digits in imsi, was 5 characters"),
        ({"imsi": None, "msisdn": "+x"}, "identity", "in msisdn, was 2 characters"),
        ({"imsi": None, "subscriber": "x" * 300}, "identity", "in subscriber, was 300 characters"),
        ({"imsi": int(IMSI)}, "type", "expected text in imsi, was a whole number"),
        ({"imsi": {}, "subscriber": ["x"]}, "type", "expected text in imsi, was a mapping"),
        ({"imei": 35925406123456}, "type", "expected text in imei, was a whole number"),
        ({"cell": 7}, "type", "cell: expected text, was a whole number"),
        ({"cell": ""}, "type", "cell: expected 1 to 64 characters, was 0"),
        ({"cell": "x" * 65}, "type", "cell: expected 1 to 64 characters, was 65"),
        ({"rat": "5G"}, "type", "rat: expected one of GSM, UMTS, LTE, NR, WLAN, was '5G'"),
        ({"phase": 1}, "type", "phase: expected one of start, update, stop, was a whole number"),
        ({"lac": True}, "type", "lac: expected a number of 0 or more, was true or false"),
        ({"lac": -1}, "type", "lac: expected a number of 0 or more, was out of range"),
        ({"lac": 2**63}, "type", "lac: expected a number of 0 or more, was out of range"),
        ({"id": 7}, "type", "id: expected text, was a whole number"),
        ({"quality": "late"}, "type", "quality: expected a list of text, was text"),
        (
            {"quality": ["late", 1]},
            "type",
            "quality: expected a list of text, was a list with a whole number",
        ),
    ],
)
def test_a_wrong_field_is_named(desk: Desk, change: dict[str, Any], reason: str, detail: str) -> None:
    record = {name: value for name, value in {**sight(), **change}.items() if value is not None}
    refusal = desk.refusal(record)
    assert refusal.reason == reason
    assert detail in refusal.detail
    assert (refusal.source, refusal.position) == ("feed", "p:1")


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"kind": "product.bought"}, "product: expected a value, was nothing"),
        ({"kind": "product.bought", "product": None}, "product: expected a value, was nothing"),
        ({"kind": "recharge", "amount": "20 yuan"}, "amount: expected a number, was text"),
        (
            {"kind": "call.out", "number": 10086},
            "number: expected text with a phone number, was a whole number",
        ),
        (
            {"kind": "call.out", "number": "1" * 65},
            "number: expected a phone number of at most 64 characters",
        ),
        (
            {"kind": "call.out", "duration": -1.5},
            "duration: expected a number of 0 or more, was out of range",
        ),
        ({"kind": "power.off", "switch_off": 1}, "switch_off: expected true or false, was a whole number"),
        ({"kind": "handset.change", "to.tac": IMEI}, "to.tac: expected 8 digits, was text of 14 characters"),
        ({"kind": "consent.change"}, "consent: expected a value, was nothing"),
        (
            {"kind": "consent.change", "consent": {"marketing": 1}},
            "consent: expected true or false in 'marketing'",
        ),
        (
            {"kind": "consent.change", "consent": True},
            "consent: expected a mapping of true or false by purpose",
        ),
        ({"kind": "profile.update", "profile": {"a": {}}}, "profile: expected text, a number, true or false"),
        ({"kind": "profile.update", "profile": {"a": [1]}}, "profile: expected a list of text in 'a'"),
    ],
)
def test_each_kind_checks_its_own_fields(desk: Desk, fields: dict[str, Any], detail: str) -> None:
    refusal = desk.refusal({"t": T, "imsi": IMSI, **fields})
    assert refusal.reason == "type"
    assert refusal.detail.startswith(detail)


def test_reasons_are_counted(desk: Desk) -> None:
    desk.read([sight(t=1), sight(kind="x"), sight(t=2), sight()])
    assert desk.intake.refused == {"time": 2, "kind": 1}


def test_an_intake_without_listener_still_counts() -> None:
    from engine.identity import Identity
    from engine.intake import Intake

    intake = Intake(Identity(b"k"))
    assert intake.read(b"x", "f", "1") == []
    assert intake.refused == {"json": 1}


# -- profiles ------------------------------------------------------------------------------------------------


def profile(desk: Desk, line: Any) -> Any:
    raw = line if isinstance(line, bytes) else orjson.dumps(line)
    return desk.intake.profile_line(raw, "profiles.jsonl", "profiles.jsonl:3", T)


def test_a_profile_line_is_a_profile_update(desk: Desk) -> None:
    event = profile(
        desk,
        {
            "subscriber": IMSI,
            "msisdn": "13912345678",
            "timezone": "Asia/Shanghai",
            "arpu": 58.5,
            "tags": ["student"],
            "data.ever": False,
            "age": None,
            "imei": IMEI,
            "consent": {"marketing": True, "location": None},
        },
    )
    assert event.fields == {
        "kind": "profile.update",
        "t": T,
        "msisdn": MSISDN,
        "timezone": "Asia/Shanghai",
        "profile": {"arpu": 58.5, "tags": ["student"], "data.ever": False, "age": None},
        "consent": {"marketing": True, "location": None},
        "source": "profiles.jsonl",
        "subscriber_key": desk.intake.identity.of_imsi(IMSI),
    }


def test_a_profile_line_binds_imsi_and_msisdn(desk: Desk) -> None:
    before = desk.one(sight(imsi=None, msisdn=MSISDN)).key
    event = profile(desk, {"subscriber": IMSI, "msisdn": MSISDN})
    after = desk.one(sight(imsi=None, msisdn=MSISDN)).key
    assert before != event.key == after


def test_a_profile_of_an_opaque_id_keeps_its_key_and_its_number(desk: Desk) -> None:
    event = profile(desk, {"subscriber": "A50E", "msisdn": MSISDN})
    assert event.key == desk.one(sight(imsi=None, subscriber="A50E")).key
    assert event.fields["msisdn"] == MSISDN


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "json"),
        (b"[]", "type"),
        ({"arpu": 1}, "identity"),
        ({"subscriber": 7}, "type"),
        ({"subscriber": IMSI, "msisdn": "x"}, "identity"),
        ({"subscriber": "x", "arpu": {"a": 1}}, "type"),
        ({"subscriber": "x", "consent": {"marketing": "yes"}}, "type"),
        ({"subscriber": "x", "timezone": 8}, "type"),
        ({"subscriber": "x", "timezone": "Mars/Olympus"}, "type"),
    ],
)
def test_a_wrong_profile_line_is_refused_with_its_place(desk: Desk, line: Any, reason: str) -> None:
    assert profile(desk, line) is None
    (refusal,) = desk.refusals
    assert (refusal.reason, refusal.position) == (reason, "profiles.jsonl:3")


@pytest.mark.parametrize("number", [2**53 + 1, 2**63 - 1, 1e308, 1.7e308])
@pytest.mark.parametrize(
    ("kind", "field"), [("call.out", "duration"), ("data.session", "up"), ("recharge", "amount")]
)
def test_numbers_beyond_all_measure_are_refused(desk: Desk, kind: str, field: str, number: float) -> None:
    raw = orjson.dumps({"kind": kind, "t": T, "imsi": IMSI, field: number})
    assert desk.intake.read(raw, "feed", "0:1") == []
    assert desk.intake.refused == {"type": 1}


def test_a_number_among_words_is_hashed(desk: Desk) -> None:
    raw = orjson.dumps({"kind": "sms.reply", "t": T, "imsi": IMSI, "text": "call 13912345678, not 10086"})
    (event,) = desk.intake.read(raw, "feed", "0:1")
    hashed = desk.intake.identity.number("13912345678")
    assert event.fields["text"] == f"call {hashed}, not 10086"
    assert len(hashed) == 32


@pytest.mark.parametrize(
    "given",
    [
        "460001234567890",
        "13912345678",
        "+8613912345678",
        "+86 139-1234-5678",
        "139.1234.5678#2",
        "imsi-460001234567890-17",
        "460001234567890f",
        "8613912345678FFF",
        "8699043112345678",
        "46000123-4567-8901-2345-678901234567",
        "０１２３４５６７８９",
    ],
)
def test_an_id_of_a_live_feed_that_may_be_a_number_is_hashed(given: str) -> None:
    intake = Intake(Identity(b"k"), hides_ids=True)
    first, again, other = [
        intake.read(orjson.dumps(sight(id=each)), "s", "p")[0] for each in (given, given, given + "1")
    ]
    assert first.id == again.id == first.fields["id"]
    assert is_hash(first.id or "")
    assert first.id != other.id
    other_key = Intake(Identity(b"other"), hides_ids=True)
    assert first.id != other_key.read(orjson.dumps(sight(id=given)), "s", "p")[0].id
    # recorded events keep theirs: who replays them has the file
    assert Intake(Identity(b"k")).read(orjson.dumps(sight(id=given)), "s", "p")[0].id == given
    assert intake.read_log(orjson.dumps({**first.fields, "id": given}), "s", "p")[0].id == given


@pytest.mark.parametrize(
    "given",
    [
        "a1",
        "12345678",
        "msc-00012345",
        "20260907T083000Z",
        "probe_20260907_0830",
        "ab12345678901cde",
        "1234567890123456",
        "6f1c1d2e-26a4-4d1b-9b1e-426614174000",
        "0123456789abcdef0123456789abcdef",
    ],
)
def test_other_ids_of_a_live_feed_stay_as_given(given: str) -> None:
    intake = Intake(Identity(b"k"), hides_ids=True)
    assert intake.read(orjson.dumps(sight(id=given)), "s", "p")[0].id == given


def test_an_id_that_is_no_text_is_refused_in_a_live_feed_too() -> None:
    intake = Intake(Identity(b"k"), hides_ids=True)
    assert intake.read(orjson.dumps(sight(id=7)), "s", "p") == []
    assert intake.refused == {"type": 1}
