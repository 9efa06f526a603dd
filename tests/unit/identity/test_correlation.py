"""Which number and which handset belong to which IMSI, and who is believed."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from engine.identity import Identity
from engine.treatments.memory import MemoryShelf
from engine.treatments.who_options import IdentityOptions
from tests.unit.identity.support import (
    DAY,
    HOUR,
    IMEI,
    IMSI,
    KEY,
    MINUTE,
    NUMBER,
    OTHER,
    T0,
    Feed,
    Wanted,
    row,
)

PLAIN = Wanted(IdentityOptions(correlate=True, mark=False))
MARKING = Wanted(IdentityOptions(correlate=True))
ANNOUNCING = Wanted(IdentityOptions(correlate=True, mark=False, announce=True))
A, B = Identity(KEY).of_imsi(IMSI), Identity(KEY).of_imsi(OTHER)
OWN = Identity(KEY).of_msisdn(NUMBER)


def keys(events: list[Any]) -> list[str]:
    return [event.key for event in events]


def test_a_record_with_only_the_number_gets_the_key_of_the_imsi() -> None:
    feed = Feed(PLAIN)
    assert keys(feed.read([row(msisdn=NUMBER)])) == [OWN]
    assert keys(feed.read([row(1, imsi=IMSI, msisdn="13912345678"), row(2, msisdn="0086139 1234 5678")])) == [
        A,
        A,
    ]
    assert keys(feed.read([row(3, subscriber=NUMBER)])) == [A]
    assert feed.edge.counts == {"learned": 1, "by_msisdn": 2}


def test_a_record_with_only_the_imei_gets_the_key_of_the_imsi_last_seen_in_it() -> None:
    feed = Feed(PLAIN)
    assert feed.read([row(imei=IMEI)]) == []
    assert [refusal.reason for refusal in feed.refusals] == ["identity"]
    feed.read([row(1, imsi=IMSI, imei=IMEI + "0"), row(2, imsi=OTHER, imei=IMEI)])
    assert keys(feed.read([row(3, imeisv=IMEI + "01")])) == [B]
    feed.read([row(1, imsi=IMSI, imei=IMEI)])  # late: the other one was seen since
    assert keys(feed.read([row(4, imei=IMEI)])) == [B]


def test_whose_number_is_not_known_is_marked_by_the_handset_too() -> None:
    feed = Feed(MARKING)
    feed.read([row(0, imsi=IMSI, imei=IMEI)])
    [event] = feed.read([row(1, imei=IMEI)])
    assert (event.key, event.fields["quality"]) == (A, ["no_msisdn"])
    feed.read([row(2, imsi=IMSI, msisdn=NUMBER)])
    [event] = feed.read([row(3, imei=IMEI)])
    assert (event.key, event.fields.get("quality")) == (A, None)
    unmarked = Feed(PLAIN)
    [_, event] = unmarked.read([row(0, imsi=IMSI, imei=IMEI), row(1, imei=IMEI)])
    assert "quality" not in event.fields


def test_the_later_of_two_bindings_holds_in_whatever_order_they_come() -> None:
    rows = [
        row(0, imsi=IMSI, msisdn=NUMBER),
        row(10 * MINUTE, imsi=IMSI, msisdn=NUMBER),
        row(2 * HOUR, imsi=OTHER, msisdn=NUMBER),
        row(3 * HOUR, imsi=OTHER, msisdn=NUMBER),
    ]
    for order in permutations(rows):
        feed = Feed(PLAIN)
        feed.read(order)
        assert keys(feed.read([row(4 * HOUR, msisdn=NUMBER)])) == [B], order


@pytest.mark.parametrize("behind", [0, 1, MINUTE, HOUR - 1, HOUR, HOUR + 1])
def test_a_binding_that_is_late_by_however_little_changes_nothing(behind: int) -> None:
    feed = Feed(PLAIN)
    feed.read([row(2 * HOUR, imsi=IMSI, msisdn=NUMBER), row(2 * HOUR - behind, imsi=OTHER, msisdn=NUMBER)])
    assert feed.edge.counts == {"learned": 1, "late": 1}
    assert keys(feed.read([row(2 * HOUR + 1, msisdn=NUMBER)])) == [A]


def test_of_two_cards_with_one_number_one_has_it_for_a_while() -> None:
    feed = Feed(ANNOUNCING)
    rows = [row(n * MINUTE, imsi=(IMSI, OTHER)[n % 2], msisdn=NUMBER) for n in range(50)]
    profiles = [event for event in feed.read(rows) if event.kind == "profile.update"]
    assert keys(profiles) == [A, B]
    assert feed.edge.counts["contested"] == 24
    assert (
        keys(feed.read([row(90 * MINUTE, imsi=IMSI, msisdn=NUMBER), row(91 * MINUTE, msisdn=NUMBER)]))[-1]
        == A
    )


def test_a_binding_is_told_once_and_again_when_it_changes() -> None:
    feed = Feed(ANNOUNCING)
    out = feed.read([row(n, imsi=IMSI, msisdn=NUMBER, id=f"i{n}") for n in range(3)])
    assert [event.kind for event in out] == ["profile.update", *["loc.update"] * 3]
    profile = out[0]
    assert profile.fields == {
        "kind": "profile.update",
        "t": T0,
        "id": profile.id,
        "source": "feed",
        "subscriber_key": A,
        "msisdn": NUMBER,
    }
    [again, _] = feed.read([row(HOUR, imsi=OTHER, msisdn=NUMBER)])
    assert (again.kind, again.key, again.fields["msisdn"]) == ("profile.update", B, NUMBER)
    # the log takes it as it takes a profile's line
    assert feed.intake.read_log(__import__("orjson").dumps(again.fields), "log", "0:1")[0].key == B
    assert feed.refusals == []


def test_what_a_profile_has_told_is_not_told_again() -> None:
    feed = Feed(ANNOUNCING)
    feed.identity.bind(IMSI, NUMBER, at=T0)
    assert [event.kind for event in feed.read([row(1, imsi=IMSI, msisdn=NUMBER)])] == ["loc.update"]
    assert keys(feed.read([row(2, msisdn=NUMBER)])) == [A]


@pytest.mark.parametrize(("at", "holder"), [(T0 + HOUR, "profile"), (T0, "profile"), (T0 - 1, "record")])
def test_a_profile_and_a_record_are_held_against_each_other_by_time(at: int, holder: str) -> None:
    feed = Feed(PLAIN)
    feed.identity.bind(OTHER, NUMBER, at=at)
    feed.read([row(0, imsi=IMSI, msisdn=NUMBER)])
    assert keys(feed.read([row(1, msisdn=NUMBER)])) == [B if holder == "profile" else A]
    assert feed.edge.counts["profile_holds"] == (holder == "profile")


def test_a_profile_that_comes_later_takes_the_number() -> None:
    feed = Feed(PLAIN)
    feed.read([row(0, imsi=IMSI, msisdn=NUMBER)])
    feed.identity.bind_key(NUMBER, str(B), T0 + 5)
    assert keys(feed.read([row(10, msisdn=NUMBER)])) == [B]


def test_bindings_lapse_unless_they_are_of_use() -> None:
    feed = Feed(Wanted(IdentityOptions(correlate=True, mark=False, ttl=DAY)))
    feed.read([row(0, imsi=IMSI, msisdn=NUMBER)])
    assert keys(feed.read([row(20 * HOUR, msisdn=NUMBER), row(40 * HOUR, msisdn=NUMBER)])) == [A, A]
    assert keys(feed.read([row(40 * HOUR + DAY + 1, msisdn=NUMBER)])) == [OWN]


def test_a_use_is_noted_to_an_eighth_of_the_time_to_live() -> None:
    feed = Feed(Wanted(IdentityOptions(correlate=True, mark=False, ttl=DAY)))
    feed.read([row(0, imsi=IMSI, msisdn=NUMBER), row(3 * HOUR, msisdn=NUMBER)])
    assert keys(feed.read([row(DAY, msisdn=NUMBER), row(2 * DAY, msisdn=NUMBER)])) == [A, A]
    feed = Feed(Wanted(IdentityOptions(correlate=True, mark=False, ttl=DAY)))
    feed.read([row(0, imsi=IMSI, msisdn=NUMBER), row(3 * HOUR, msisdn=NUMBER)])
    assert keys(feed.read([row(DAY + 1, msisdn=NUMBER)])) == [OWN], "3 h earlier than a day after the last"
    feed.read([row(2 * DAY, imsi=IMSI, msisdn=NUMBER), row(2 * DAY + 3 * HOUR + 1, msisdn=NUMBER)])
    assert keys(feed.read([row(3 * DAY + 3 * HOUR + 1, msisdn=NUMBER)])) == [A]


def test_with_a_short_time_to_live_what_still_holds_is_noted_more_often() -> None:
    feed = Feed(Wanted(IdentityOptions(correlate=True, ttl=HOUR)))
    feed.read([row(n * 50 * MINUTE, imsi=IMSI, msisdn=NUMBER) for n in range(3)])
    out = feed.read([row(155 * MINUTE, msisdn=NUMBER), row(155 * MINUTE, imsi=IMSI)])
    assert keys(out) == [A, A]
    assert "quality" not in out[1].fields
    assert feed.edge.counts["learned"] == 1


def test_a_time_far_ahead_teaches_nothing() -> None:
    feed = Feed(PLAIN)
    feed.read([row(0, imsi=IMSI, msisdn=NUMBER)])
    feed.clock = T0
    feed.read([row(400 * DAY, imsi=OTHER, msisdn=NUMBER), row(400 * DAY, imsi=OTHER, imei=IMEI)])
    assert feed.edge.counts["ahead"] == 2
    assert keys(feed.read([row(1, msisdn=NUMBER)])) == [A]


def test_an_imei_with_too_many_cards_is_none() -> None:
    feed = Feed(Wanted(IdentityOptions(correlate=True, mark=False, imsis=2)))
    rows = [row(n, imsi=f"46000000000000{n % 4}", imei=IMEI) for n in range(8)]
    out = feed.read(rows)
    assert [event.fields.get("tac8") for event in out] == ["86990431", "86990431", *[None] * 6]
    assert all(event.fields["quality"] == ["bad_imei"] for event in out[2:])
    assert feed.edge.counts["shared_imei"] == 6
    assert feed.read([row(9, imei=IMEI)]) == []  # it tells nobody from anybody


def test_who_is_forgotten_is_forgotten_here() -> None:
    feed = Feed(PLAIN)
    feed.read([row(0, imsi=IMSI, msisdn=NUMBER, imei=IMEI), row(1, imsi=OTHER, imei=IMEI)])
    feed.forget(A)
    assert keys(feed.read([row(2, msisdn=NUMBER), row(3, imei=IMEI)])) == [OWN, B]
    assert feed.memories.counts["imeis.entries"] == 1


def test_who_had_a_number_before_is_forgotten_too() -> None:
    feed = Feed(PLAIN)
    feed.read([row(0, imsi=IMSI, msisdn=NUMBER), row(2 * HOUR, imsi=OTHER, msisdn=NUMBER)])
    assert str(A) in remembered(feed)
    feed.forget(A)
    assert str(A) not in remembered(feed)
    assert keys(feed.read([row(2 * HOUR + 1, msisdn=NUMBER)])) == [B]


def test_all_numbers_of_somebody_are_forgotten_and_a_number_leaves_no_trace_at_its_owner() -> None:
    second = "+8613912345679"
    feed = Feed(MARKING)
    feed.read([row(0, imsi=IMSI, msisdn=NUMBER), row(1, imsi=IMSI, msisdn=second)])
    feed.forget(A)
    assert remembered(feed) == "[]"
    feed.read([row(2, imsi=IMSI, msisdn=NUMBER)])
    feed.forget(OWN)
    [event] = feed.read([row(3, imsi=IMSI)])
    assert event.fields["quality"] == ["no_msisdn"]


def test_who_is_bound_again_by_a_profile_since_is_known() -> None:
    feed = Feed(MARKING)
    feed.identity.bind(IMSI, NUMBER, at=T0)
    feed.identity.forget_keys({str(A)})
    feed.identity.bind(IMSI, NUMBER, at=T0 + 1)
    feed.forget()
    [event] = feed.read([row(3, imsi=IMSI)])
    assert "quality" not in event.fields


def remembered(feed: Feed) -> str:
    memories = (feed.memories.memory(name, 0, 0) for name in ("numbers", "owners", "imeis"))
    return repr([entry for memory in memories for entry in memory.items()])


def test_nothing_personal_is_remembered_or_packed() -> None:
    shelf = MemoryShelf()
    feed = Feed(Wanted(IdentityOptions(correlate=True)), shelf)
    feed.read([row(0, imsi=IMSI, msisdn=NUMBER, imei=IMEI), row(1, imsi=OTHER)])
    seen = repr([feed.checkpoint(), shelf.go_back(1)])
    assert len(seen) > 200
    for personal in (IMSI, OTHER, NUMBER[1:], NUMBER[3:], IMEI):
        assert personal not in seen


def test_odd_values_are_left_to_the_checks() -> None:
    feed = Feed(PLAIN)
    odd: list[dict[str, Any]] = [
        {"imsi": 460001234567890}, {"imsi": "46000"}, {"msisdn": 13912345678}, {"msisdn": "x", "imei": IMEI},
        {"imsi": IMSI, "imei": 5}, {"imsi": IMSI, "t": "now"}, {"imsi": IMSI, "t": 5}, {"subscriber": 7},
    ]  # fmt: skip
    plain = Feed(Wanted())
    for fields in odd:
        assert feed.read([{**row(), **fields}]) == plain.read([{**row(), **fields}]) == []
    assert [r.detail for r in feed.refusals] == [r.detail for r in plain.refusals]
    assert len(feed.refusals) == len(odd)
