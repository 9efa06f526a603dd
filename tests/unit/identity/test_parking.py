"""Records wait for their number or their IMSI a little."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from engine.identity import Identity
from engine.treatments.who_options import IdentityOptions, ParkingOptions
from tests.unit.identity.support import DAY, IMSI, KEY, NUMBER, OTHER, SECOND, T0, Feed, Wanted, row

WANTED = Wanted(IdentityOptions(correlate=True), ParkingOptions())
A = Identity(KEY).of_imsi(IMSI)
OWN = Identity(KEY).of_msisdn(NUMBER)


def said(events: list[Any]) -> list[tuple[Any, ...]]:
    return [(e.kind, (e.t - T0) // SECOND, e.key, tuple(e.fields.get("quality", ()))) for e in events]


def test_a_number_waits_for_its_imsi() -> None:
    feed = Feed(WANTED)
    assert feed.read([row(0, "call.out", msisdn=NUMBER), row(SECOND, "call.in", msisdn=NUMBER)]) == []
    out = feed.read([row(2 * SECOND, imsi=IMSI, msisdn=NUMBER)])
    assert said(out) == [("call.out", 0, A, ()), ("call.in", 1, A, ()), ("loc.update", 2, A, ())]
    assert all(event.fields["subscriber_key"] == A for event in out)
    assert feed.chain.counts["parking.parked"] == feed.chain.counts["parking.resolved"] == 2


def test_a_number_whose_imsi_does_not_come_goes_on_under_its_own_key() -> None:
    feed = Feed(WANTED)
    feed.read([row(0, msisdn=NUMBER), row(SECOND, msisdn=NUMBER)])
    assert feed.time(T0 - 30 * SECOND - 1) == []  # the watermark is a minute behind the newest record
    assert said(feed.time(T0 - 30 * SECOND)) == [
        ("loc.update", 0, OWN, ("no_imsi",)),
        ("loc.update", 1, OWN, ("no_imsi",)),
    ]
    # given up once, it waits no more
    assert len(feed.read([row(60 * SECOND, msisdn=NUMBER)])) == 1
    assert feed.read([row(60 * SECOND + DAY + 1, msisdn=NUMBER)]) == []
    counts = feed.chain.counts
    assert (counts["parking.given_up"], counts["parking.not_parked"]) == (2, 1)


def test_an_imsi_waits_for_its_number_which_goes_ahead() -> None:
    feed = Feed(replace(WANTED, identity=IdentityOptions(correlate=True, announce=True)))
    assert feed.read([row(0, imsi=IMSI)]) == []
    out = feed.read([row(5 * SECOND, imsi=IMSI, msisdn=NUMBER)])
    assert said(out) == [("profile.update", 5, A, ()), ("loc.update", 0, A, ()), ("loc.update", 5, A, ())]
    assert said(feed.read([row(6 * SECOND, imsi=IMSI)])) == [("loc.update", 6, A, ())]


def test_an_imsi_without_a_number_goes_on_flagged() -> None:
    feed = Feed(WANTED)
    feed.read([row(0, imsi=IMSI, quality=["late"])])
    assert said(feed.time(T0 + 31 * SECOND)) == [("loc.update", 0, A, ("late", "no_msisdn"))]


def test_a_profile_ends_the_wait() -> None:
    feed = Feed(WANTED)
    feed.read([row(0, imsi=IMSI), row(0, msisdn=NUMBER)])
    feed.identity.bind(IMSI, NUMBER, T0)
    assert said(feed.time(T0 + SECOND)) == [("loc.update", 0, A, ()), ("loc.update", 0, A, ())]


def test_control_records_do_not_wait() -> None:
    feed = Feed(WANTED)
    feed.read([row(0, imsi=IMSI)])
    [event] = feed.read([row(SECOND, "consent.change", imsi=IMSI, consent={"marketing": False})])
    assert event.kind == "consent.change"


def test_how_many_wait_is_bounded_and_none_is_lost() -> None:
    feed = Feed(replace(WANTED, parking=ParkingOptions(at_most=3)))
    out = feed.read([row(n, imsi=f"4600000000000{n:02}") for n in range(10)])
    assert [event.t - T0 for event in out] == list(range(7))
    assert feed.chain.counts["parking.overflowed"] == 7
    assert [event.t - T0 for event in feed.time(T0 + DAY)] == [7, 8, 9]


def test_without_a_wait_records_are_only_flagged() -> None:
    feed = Feed(replace(WANTED, parking=ParkingOptions(wait=0)))
    assert said(feed.read([row(0, msisdn=NUMBER)])) == [("loc.update", 0, OWN, ("no_imsi",))]


def test_a_crash_loses_none_and_doubles_none_and_keeps_nothing_personal() -> None:
    feed = Feed(WANTED)
    feed.read([row(0, "call.out", msisdn=NUMBER, cell="460-00-1-1", id="x", number="13800001111")])
    feed.read([row(SECOND, imsi=OTHER)])
    packed = feed.checkpoint()
    for personal in (NUMBER[1:], NUMBER[3:], OTHER, "13800001111"):
        assert personal.encode() not in orjson.dumps(packed)
    feed.read([row(2 * SECOND, imsi=IMSI, msisdn=NUMBER)])  # not committed
    feed.start(packed)
    out = feed.read([row(3 * SECOND, imsi=IMSI, msisdn=NUMBER)])
    assert said(out) == [("call.out", 0, A, ()), ("loc.update", 3, A, ())]
    assert (out[0].cell, out[0].id, out[0].seen) == ("460-00-1-1", "x", T0)
    assert len(feed.time(T0 + DAY)) == 1


@pytest.mark.parametrize("sizes", [[1] * 6, [6], [2, 4], [5, 1]])
def test_the_size_of_a_batch_changes_nothing(sizes: list[int]) -> None:
    rows = [
        row(0, msisdn=NUMBER, id="1"),
        row(1, imsi=IMSI, id="2"),
        row(2, imsi=IMSI, msisdn=NUMBER, id="3"),
        row(3, msisdn=NUMBER, id="4"),
        row(4, imsi=OTHER, id="5"),
        row(5, imsi=OTHER, msisdn="13900000000", id="6"),
    ]
    feed = Feed(replace(WANTED, identity=IdentityOptions(correlate=True, announce=True)))
    at = 0
    for size in sizes:
        feed.read(rows[at : at + size])
        at += size
    ids = [event.id if event.kind != "profile.update" else "p" for event in feed.log]
    assert ids == ["p", "1", "2", "3", "4", "p", "5", "6"]
