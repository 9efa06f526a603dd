"""The SIM is in another handset: when that is told, and when not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.treatments.handset_changes import WAITING_AT_MOST
from engine.treatments.who_options import HandsetOptions
from tests.unit.identity.support import DAY, HOUR, IMSI, MINUTE, OTHER, T0, Feed, Wanted, row

OLD, NEW, THIRD = "86990321", "86990431", "35675904"
WANTED = Wanted(handsets=HandsetOptions())


def seen(at: int, tac: str, imsi: str = IMSI, **fields: Any) -> dict[str, Any]:
    return row(at, imsi=imsi, imei=tac + "123456", **fields)


def changes(feed: Feed) -> list[tuple[Any, ...]]:
    return [
        (
            e.t - T0,
            e.fields["from.tac"],
            e.fields["to.tac"],
            e.fields.get("to.model"),
            e.fields.get("to.network"),
        )
        for e in feed.log
        if e.kind == "handset.change"
    ]


def test_two_sightings_make_a_change() -> None:
    feed = Feed(WANTED)
    feed.read([seen(0, OLD), seen(MINUTE, OLD), seen(2 * MINUTE, NEW)])
    assert changes(feed) == []
    feed.read([seen(3 * MINUTE, NEW), seen(4 * MINUTE, NEW)])
    assert changes(feed) == [(3 * MINUTE, OLD, NEW, "Yunque X1 5G", "5G")]
    assert [event.kind for event in feed.log[-3:]] == ["loc.update", "handset.change", "loc.update"]
    change = feed.log[-2]
    assert change.id is not None
    assert change.id == change.fields["id"] != feed.log[-1].id
    assert change.cell is None


def test_two_records_of_one_moment_are_one_sighting() -> None:
    feed = Feed(WANTED)
    feed.read([seen(0, OLD), seen(MINUTE, NEW), seen(MINUTE, NEW), seen(2 * MINUTE, OLD)])
    assert changes(feed) == []
    assert feed.chain.counts["handset_changes.withdrawn"] == 1


def test_one_sighting_is_enough_if_nobody_contradicts() -> None:
    feed = Feed(WANTED)
    feed.read([seen(0, OLD), seen(MINUTE, NEW)])
    assert feed.time(T0 + 11 * MINUTE - 1) == []
    feed.time(T0 + 11 * MINUTE)
    assert changes(feed) == [(11 * MINUTE, OLD, NEW, "Yunque X1 5G", "5G")]
    assert feed.time(T0 + HOUR) == []


def test_a_handset_that_is_not_in_the_table_has_no_model() -> None:
    feed = Feed(WANTED)
    feed.read([seen(0, OLD), seen(1, THIRD), seen(2, THIRD)])
    assert changes(feed) == [(2, OLD, THIRD, None, None)]


def test_who_goes_to_and_fro_between_two_handsets_is_told_of_once() -> None:
    feed = Feed(WANTED)
    at = 0
    for tac in [OLD, NEW, OLD, NEW, OLD, NEW] * 2:
        feed.read([seen(at, tac), seen(at + 1, tac)])
        at += 10 * HOUR
    assert [change[1:3] for change in changes(feed)] == [(OLD, NEW)]
    feed.read([seen(at + 2 * DAY, OLD), seen(at + 2 * DAY + 1, OLD)])
    assert [change[1:3] for change in changes(feed)] == [(OLD, NEW), (NEW, OLD)]


@pytest.mark.parametrize(("after", "told"), [(DAY - 1, False), (DAY, True)])
def test_a_day_after_the_change_the_handset_before_is_a_new_one(after: int, told: bool) -> None:
    feed = Feed(WANTED)
    feed.read([seen(0, OLD), seen(1, NEW), seen(2, NEW)])
    feed.read([seen(2 + after - 1, OLD), seen(2 + after, OLD)])
    assert [change[1:3] for change in changes(feed)] == [(OLD, NEW), (NEW, OLD)][: 1 + told]


def test_a_third_handset_within_a_day_is_a_change() -> None:
    feed = Feed(WANTED)
    feed.read([seen(0, OLD), seen(1, NEW), seen(2, NEW), seen(3, THIRD), seen(4, THIRD)])
    assert [change[1:3] for change in changes(feed)] == [(OLD, NEW), (NEW, THIRD)]


def test_a_handset_with_two_cards_is_two_subscribers_with_one_tac() -> None:
    feed = Feed(WANTED)
    feed.read(row(n, imsi=(IMSI, OTHER)[n % 2], imei=NEW + f"12345{n % 2}") for n in range(10))
    assert changes(feed) == []


def test_a_late_record_changes_nothing() -> None:
    feed = Feed(WANTED)
    feed.read([seen(0, OLD), seen(5, NEW), seen(6, NEW), seen(3, OLD), seen(4, OLD)])
    assert len(changes(feed)) == 1
    feed.read([seen(7, NEW)])
    assert len(changes(feed)) == 1
    assert feed.chain.counts["handset_changes.late"] == 2


def test_bad_imeis_are_no_sightings() -> None:
    feed = Feed(WANTED)
    feed.read([seen(0, OLD), row(1, imsi=IMSI, imei="000000000000000"), row(2, imsi=IMSI, imei="123")])
    assert changes(feed) == []


def test_flags_hold_for_what_follows() -> None:
    feed = Feed(WANTED)
    feed.read([seen(0, OLD), seen(1, NEW), seen(2, NEW, quality=["no_trigger", "no_msisdn"])])
    assert feed.log[-1].fields["quality"] == ["no_trigger"]


@pytest.mark.parametrize(("sightings", "told"), [(1, 1), (2, 2), (3, 3)])
def test_how_many_sightings_is_a_setting(sightings: int, told: int) -> None:
    feed = Feed(Wanted(handsets=HandsetOptions(sightings=sightings, alone=0)))
    feed.read([seen(0, OLD), *(seen(n, NEW) for n in range(1, 5))])
    assert [change[0] for change in changes(feed)] == [told]
    assert feed.time(T0 + DAY) == []


def test_who_waits_is_bounded_and_survives_a_crash() -> None:
    feed = Feed(WANTED)
    people = [f"46000{n:010}" for n in range(WAITING_AT_MOST + 1)]
    feed.read(seen(0, OLD, imsi) for imsi in people)
    feed.read(seen(1, NEW, imsi) for imsi in people)
    feed.start(feed.checkpoint())
    feed.time(T0 + DAY)
    assert len(changes(feed)) == WAITING_AT_MOST


def test_without_memory_the_next_handset_is_the_first() -> None:
    feed = Feed(replace(WANTED, handsets=HandsetOptions(ttl=DAY)))
    feed.read([seen(0, OLD), seen(2 * DAY, NEW), seen(2 * DAY + 1, NEW)])
    assert changes(feed) == []
