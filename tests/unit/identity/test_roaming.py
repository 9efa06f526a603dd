"""Who has left, who is back, who is a guest; and what is heard across a border."""

from __future__ import annotations

from typing import Any

import orjson

from engine.treatments.kept_back import MOST_OF_ONE
from engine.treatments.roaming_held import MOST
from engine.treatments.who_options import IdentityOptions, RoamingOptions
from tests.unit.identity.support import DAY, HOME, HOUR, IMSI, MINUTE, T0, Feed, Wanted, row

GUEST = "440101234567890"
FAR = RoamingOptions(home=HOME, neighbours=frozenset({"455", "25001"}))


def feed_of(options: RoamingOptions) -> Feed:
    return Feed(Wanted(roaming=options, identity=IdentityOptions(home=HOME)))


def at(minutes: float, plmn: str, imsi: str = IMSI, **fields: Any) -> dict[str, Any]:
    return row(round(minutes * MINUTE), imsi=imsi, plmn=plmn, **fields)


def told(feed: Feed) -> list[tuple[Any, ...]]:
    return [
        (e.kind, (e.t - T0) // MINUTE, e.fields["plmn"], e.fields.get("country"))
        for e in feed.log
        if e.kind.startswith("roam.")
    ]


def test_out_on_to_another_country_and_home() -> None:
    feed = feed_of(FAR)
    feed.read(
        [at(0, "46000"), at(1, "46002"), at(60, "44010"), at(61, "44020"), at(99, "45005"), at(200, "46002")]
    )
    assert told(feed) == [
        ("roam.out", 60, "44010", "JP"),
        ("roam.country", 99, "45005", "KR"),
        ("roam.home", 200, "46002", "CN"),
    ]
    assert feed.chain.counts["roaming.network"] == 1


def test_the_network_of_a_cell_serves_where_the_record_names_none() -> None:
    feed = feed_of(FAR)
    feed.read([row(0, imsi=IMSI, cell="460-00-1-2"), row(1, imsi=IMSI, cell="440-10-1-2"), row(2, imsi=IMSI)])
    feed.read([row(3, imsi=IMSI, cell="area:mall")])
    assert [kind for kind, *_ in told(feed)] == ["roam.out"]


def test_a_neighbours_network_counts_when_it_is_named_again() -> None:
    feed = feed_of(FAR)
    feed.read([at(0, "46000"), at(1, "45501"), at(1.1, "45501"), at(5, "46000")])
    assert told(feed) == []
    assert feed.chain.counts["roaming.suppressed"] == 1
    feed.read([at(10, "45501"), at(11, "45501")])
    assert told(feed) == [("roam.out", 11, "45501", "MO")]
    feed.read([at(12, "46000"), at(13, "45501"), at(20, "46000"), at(21, "46000")])  # home, too
    assert told(feed)[1:] == [("roam.home", 21, "46000", "CN")]


def test_only_the_neighbours_named_are_doubted() -> None:
    feed = feed_of(FAR)
    feed.read([at(0, "46000"), at(1, "25002")])
    assert told(feed) == [("roam.out", 1, "25002", "RU")]


def test_without_a_list_all_are_doubted() -> None:
    feed = feed_of(RoamingOptions(home=HOME))
    feed.read([at(0, "46000"), at(1, "44010")])
    assert told(feed) == []
    feed.read([at(2, "44010")])
    assert told(feed) == [("roam.out", 2, "44010", "JP")]


def test_two_networks_across_the_border_do_not_confirm_each_other() -> None:
    feed = feed_of(FAR)
    feed.read([at(0, "46000"), at(1, "45501"), at(2, "45502"), at(3, "45501")])
    assert told(feed) == []
    assert feed.chain.counts["roaming.suppressed"] == 2


def test_a_plane_is_in_no_country() -> None:
    feed = feed_of(FAR)
    feed.read([at(0, "46000"), at(60, "90114"), at(600, "44010"), at(700, "90114"), at(800, "44020")])
    assert told(feed) == [("roam.out", 60, "90114", None), ("roam.country", 600, "44010", "JP")]


def test_another_network_at_home_is_roaming_too() -> None:
    feed = feed_of(FAR)
    feed.read([at(0, "46000"), at(1, "46001")])
    assert told(feed) == [("roam.out", 1, "46001", "CN")]


def test_the_first_record_of_somebody_tells_nothing() -> None:
    feed = feed_of(FAR)
    feed.read([at(0, "44010"), at(1, "46000")])
    assert told(feed) == [("roam.home", 1, "46000", "CN")]


def test_test_networks_are_none() -> None:
    feed = feed_of(FAR)
    feed.read([at(0, "46000"), at(1, "00101"), at(2, "99999"), at(3, "460-00"), at(4, "46000")])
    assert told(feed) == []
    assert feed.chain.counts["roaming.odd_plmn"] == 3


def test_a_guest_arrives_once_until_they_were_gone() -> None:
    feed = feed_of(FAR)
    feed.read([at(0, "46000", GUEST), at(60, "46002", GUEST)])
    assert told(feed) == [("roam.in", 0, "46000", "CN")]
    assert [e.fields["home_plmn"] for e in feed.log if e.kind == "roam.in"] == ["44010"]
    feed.read([at(60 * 20, "46000", GUEST), at(60 * 40, "46000", GUEST), at(60 * 40 + 1, "44010", GUEST)])
    assert len(told(feed)) == 1
    feed.read([at(60 * 65, "46000", GUEST)])
    assert len(told(feed)) == 2


def test_a_guest_from_across_the_border_is_doubted() -> None:
    feed = feed_of(FAR)
    guest = "455011234567890"
    feed.read([at(0, "46000", guest)])
    assert told(feed) == []
    feed.read([at(1, "46000", guest)])
    assert told(feed) == [("roam.in", 1, "46000", "CN")]
    feed.read([at(60 * 48, "46000", guest)])
    assert len(told(feed)) == 1
    feed.read([at(60 * 48 + 1, "46000", guest)])
    assert len(told(feed)) == 2


def test_what_the_feed_says_itself_is_not_said_again() -> None:
    feed = feed_of(FAR)
    feed.read([at(0, "46000"), at(1, "44010", kind="roam.out"), at(2, "44010"), at(3, "46000")])
    assert [kind for kind, *_ in told(feed)] == ["roam.out", "roam.home"]


def test_late_records_change_nothing() -> None:
    feed = feed_of(FAR)
    feed.read([at(0, "46000"), at(60, "44010"), at(30, "46000"), at(31, "46000"), at(61, "44010")])
    assert [kind for kind, *_ in told(feed)] == ["roam.out"]
    assert feed.chain.counts["roaming.late"] == 2


def test_memory_lapses() -> None:
    feed = feed_of(RoamingOptions(home=HOME, neighbours=frozenset(), ttl=DAY))
    feed.read([at(0, "46000"), row(DAY + HOUR, imsi=IMSI, plmn="44010")])
    assert told(feed) == []


HELD = RoamingOptions(home=HOME, neighbours=frozenset({"455"}), hold=10 * MINUTE)
MARKED = ["no_trigger", "false_roaming"]


def leaves(minutes: float, plmn: str = "45501") -> dict[str, Any]:
    return row(round(minutes * MINUTE), "roam.out", imsi=IMSI, plmn=plmn)


def returns(minutes: float) -> dict[str, Any]:
    return row(round(minutes * MINUTE), "roam.home", imsi=IMSI, plmn="46000")


def flags(feed: Feed) -> list[tuple[str, int, list[str]]]:
    return [(e.kind, (e.t - T0) // MINUTE, e.fields.get("quality", [])) for e in feed.log]


def test_what_a_feed_says_of_leaving_is_taken_back_by_a_record_from_home() -> None:
    feed = feed_of(HELD)
    feed.read([at(0, "46000"), leaves(1), row(2 * MINUTE, imsi=IMSI)])
    assert feed.chain.parked == 2
    feed.read([at(3, "46000"), returns(4), returns(30)])
    assert flags(feed)[1:] == [
        ("roam.out", 1, MARKED), ("loc.update", 2, []), ("loc.update", 3, []), ("roam.home", 4, MARKED),
        ("roam.home", 30, []),
    ]  # fmt: skip
    assert feed.chain.counts["roaming.taken_back"] == 1
    feed.read([leaves(40), returns(45)])
    assert flags(feed)[-2:] == [("roam.out", 40, MARKED), ("roam.home", 45, MARKED)]


def test_what_is_settled_goes_on_as_it_came() -> None:
    feed = feed_of(HELD)
    feed.read([at(0, "46000"), leaves(1), at(1.2, "45501"), at(2, "45502")])
    assert flags(feed)[1:] == [("roam.out", 1, []), ("loc.update", 1, []), ("loc.update", 2, [])]
    feed.read([returns(60), leaves(70), at(85, "46000", "460000000000009")])  # nobody took it back
    assert flags(feed)[4:] == [("roam.home", 60, []), ("roam.out", 70, []), ("loc.update", 85, [])]
    assert feed.chain.counts["roaming.stands"] == 2


def test_a_second_record_right_behind_the_first_settles_nothing() -> None:
    feed = feed_of(HELD)
    feed.read([at(0, "46000"), leaves(1), at(1.2, "45501"), at(1.49, "45501")])
    assert feed.chain.parked == 3, "none of them half a minute later"
    feed.read([at(1.6, "46000")])
    assert flags(feed)[1] == ("roam.out", 1, MARKED)
    assert feed.chain.counts["roaming.stands"] == 0
    feed.read([leaves(60), at(60.5, "45501")])
    assert feed.chain.counts["roaming.stands"] == 1


def test_networks_that_are_not_heard_across_the_border_wait_for_nothing() -> None:
    feed = feed_of(HELD)
    feed.read([leaves(1, "44010")])
    assert (flags(feed), feed.chain.parked) == ([("roam.out", 1, [])], 0)


def test_a_feed_that_is_silent_keeps_nothing_back_of_several_networks_either() -> None:
    feed = feed_of(RoamingOptions(home=HOME, hold=10 * MINUTE))
    feed.read([at(0, "46000"), leaves(1), leaves(1.5, "45400"), leaves(2, "46692")])
    assert (feed.chain.parked, flags(feed)[1:]) == (3, [])
    assert [(e.kind, (e.t - T0) / MINUTE) for e in feed.chain.let_go()] == [
        ("roam.out", 1),
        ("roam.out", 1.5),
        ("roam.out", 2),
    ]
    assert feed.chain.parked == 0


def test_what_is_behind_a_change_is_taken_back_however_late_that_is_settled() -> None:
    def held() -> Feed:
        feed = feed_of(RoamingOptions(home=HOME, hold=10 * MINUTE))
        feed.read(
            [
                at(0, "46000"),
                leaves(2),
                leaves(1.5, "45400"),
                row(96_000_000, "call.out", imsi=IMSI, plmn="46000"),
            ]
        )
        return feed

    going, silent = held(), held()
    assert going.chain.parked == silent.chain.parked == 3
    going.read([at(minutes, "46000", "460000000000009") for minutes in (20, 40)])
    told = [(e.kind, e.fields.get("quality", [])) for e in going.log if e.kind != "loc.update"]
    assert told == [("roam.out", []), ("roam.out", MARKED), ("call.out", [])]
    assert [(e.kind, e.fields.get("quality", [])) for e in silent.chain.let_go()] == told


def test_no_more_than_200_records_of_one_subscriber_are_kept_back() -> None:
    feed = feed_of(RoamingOptions(home=HOME, hold=60 * MINUTE, apart=60 * MINUTE))
    feed.read(leaves(1 + number / 100, ("45501", "45400")[number % 2]) for number in range(MOST_OF_ONE + 1))
    assert (feed.chain.parked, feed.chain.counts["roaming.overflowed"]) == (MOST_OF_ONE, 1)


def test_what_is_kept_back_outlives_a_crash_and_has_a_bound() -> None:
    feed = feed_of(HELD)
    feed.read([at(0, "46000"), leaves(1)])
    kept = orjson.loads(orjson.dumps(feed.chain.pack()))
    other = feed_of(HELD)
    other.chain.restore(kept)
    assert other.chain.parked == 1
    other.read([at(3, "46000")])
    assert flags(other)[0] == ("roam.out", 1, MARKED)
    assert [e.kind for e in feed.chain.let_go()] == ["roam.out"]
    assert feed.chain.parked == 0
    crowd = feed_of(HELD)
    crowd.read(row(n, "roam.out", imsi=f"46000{n:010d}", plmn="45501") for n in range(MOST + 1))
    assert crowd.chain.parked == MOST * 9 // 10
    assert crowd.chain.counts["roaming.overflowed"] == 1
