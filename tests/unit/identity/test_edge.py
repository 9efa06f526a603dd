"""The hook at intake: what it does to a record, and that it is not there unless asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.identity import Identity
from engine.intake import Intake
from engine.treatments.who_options import IdentityOptions
from tests.unit.identity.support import ALL, HOME, IMSI, KEY, T0, Feed, Wanted, row


@pytest.mark.parametrize(
    ("imei", "tac"),
    [
        ("86990431123456", "86990431"),
        ("869904311234560", "86990431"),  # 15th digit 0: spare
        ("869904311234568", None),  # no check digit of Luhn
        ("8699043112345601", "86990431"),
        ("00440109123456", None),  # test equipment
        ("01234567890123", None),
        ("135790246811220", None),
        ("00000000000000", None),
        ("8699043", None),
    ],
)
def test_imeis_that_cannot_be_true(imei: str, tac: str | None) -> None:
    feed = Feed(Wanted(identity=IdentityOptions(strict_imei=True)))
    [event] = feed.read([row(imsi=IMSI, imei=imei)])
    assert event.fields.get("tac8") == tac
    assert event.fields.get("quality", []) == ([] if tac else ["bad_imei"])


def test_test_equipment_is_taken_unless_asked() -> None:
    [event] = Feed(Wanted()).read([row(imsi=IMSI, imei="00440109123456")])
    assert event.fields["tac8"] == "00440109"


@pytest.mark.parametrize(
    ("imsi", "home"),
    [(IMSI, None), ("460021234567890", None), ("460011234567890", "46001"), ("310260123456789", "310260"),
     ("001010000000001", None)],
)  # fmt: skip
def test_guests_get_their_home_network(imsi: str, home: str | None) -> None:
    feed = Feed(Wanted(identity=IdentityOptions(home=HOME)))
    for _ in range(2):  # the second one from what is remembered
        [event] = feed.read([row(imsi=imsi)])
        assert event.fields.get("home_plmn") == home
    [event] = feed.read([row(imsi=imsi, home_plmn="26201")])
    assert event.fields["home_plmn"] == "26201"


def test_numbers_are_written_in_one_way_first() -> None:
    wanted = Wanted(
        IdentityOptions(normalise=True, classes=True),
        classes={"banks": ("4008895558",), "hotline": ("10086",)},
    )
    plain, feed = Feed(Wanted()), Feed(wanted)
    [expected] = plain.read([row(kind="call.out", msisdn="+8613912345678", number="13800001111")])
    rows = [
        row(kind="call.out", msisdn="8613912345678", number="17951013800001111"),
        row(kind="call.out", msisdn="013912345678", number="0086 138 0000 1111"),
    ]
    for event in feed.read(rows):
        assert event.fields == expected.fields
    [event] = feed.read([row(kind="call.out", imsi=IMSI, number="1259310086")])
    assert (event.fields["number"], event.fields["number_class"]) == ("10086", ["hotline"])


def test_a_feed_that_knows_classes_keeps_its_own() -> None:
    feed = Feed(Wanted(IdentityOptions(classes=True), classes={"hotline": ("10086",)}))
    own = row(kind="call.out", imsi=IMSI, number="10086", number_class=["care"])
    assert [e.fields["number_class"] for e in feed.read([own])] == [["care"]]


def test_without_a_hook_nothing_changes_and_control_records_never_pass_it() -> None:
    seen: list[str] = []

    def hook(fields: dict[str, Any]) -> None:
        seen.append(fields["kind"])

    rows = [
        row(imsi=IMSI),
        row(kind="complaint", imsi=IMSI),
        row(kind="consent.change", imsi=IMSI, consent={}),
        row(kind="profile.update", imsi=IMSI, msisdn="13912345678"),
        row(kind="tick"),
    ]
    hooked, plain = Intake(Identity(KEY), edge=hook), Intake(Identity(KEY))
    for each in rows:
        with_hook, without = hooked.record(dict(each), "f", "1"), plain.record(dict(each), "f", "1")
        assert with_hook is not None
        assert without is not None
        assert (with_hook.key, with_hook.fields) == (without.key, without.fields)
    hooked.read_log(b'{"kind":"loc.update","t":%d,"subscriber_key":"%s"}' % (T0, b"0" * 32), "log", "0:1")
    assert seen == ["loc.update", "complaint"]


_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.lists(st.text())
)
_records = st.fixed_dictionaries(
    {"kind": st.sampled_from(["loc.update", "call.out"])},
    optional={
        name: st.one_of(_values, st.sampled_from([IMSI, "+8613912345678", "86990431123456", "10086"]))
        for name in ("imsi", "msisdn", "subscriber", "imei", "imeisv", "number", "number_class", "quality",
                     "home_plmn", "t")
    },
)  # fmt: skip


@given(st.lists(_records, max_size=4))
def test_whatever_a_feed_brings_never_breaks_the_hook_and_names_nobody(records: list[dict[str, Any]]) -> None:
    options = ALL.identity.model_copy(update={"normalise": True, "classes": True})
    feed = Feed(replace(ALL, identity=options, classes={"hotline": ("10086",)}))
    for record in records:
        event = feed.intake.record(dict(record), "f", "1")
        if event is not None:
            assert len(event.key) == 32
            assert not {"imsi", "msisdn", "imei", "imeisv", "subscriber"} & set(event.fields)
