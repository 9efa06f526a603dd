"""How near each kind of pattern came, in words, and the mark that would have met it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.trace.nearest import Best
from tests.unit.cli.support import FILES
from tests.unit.explain.world import Told, call, data, rule, rules_of, seen, tell

DAY = 24 * 60
HOURS_48 = 48 * 3_600_000_000


def told(when: str, records: list[dict[str, Any]], minutes: float = DAY) -> Told:
    return tell(rules_of(rule(when)), records, minutes)


@pytest.mark.parametrize(
    ("when", "records", "text", "change"),
    [
        (
            "{count: call.out, at_least: 3, within: 2h}",
            [call(0), call(60), call(300), call(600)],
            "2 of 3 in 2h, at 2026-09-07 11:00:00",
            "`at_least` were 2 (is 3)",
        ),
        (
            "{count: call.out, where: {number: hotline}, at_least: 3, within: 2h}",
            [call(0), call(10, number="10010"), call(20), call(30, number="10010")],
            "2 of 3 in 2h, at 2026-09-07 10:20:00",
            "`at_least` were 2 (is 3)",
        ),
        (
            "{total: data.session.bytes, at_least: 300 MB, within: 2h}",
            [data(0, 100), data(60, 160.7), data(600, 200)],
            "260.7MB of 300MB in 2h, at 2026-09-07 11:00:00",
            "`at_least` were 260MB (is 300MB)",
        ),
        (
            "{total: call.out.duration, at_least: 30m, within: 2h}",
            [call(0, duration=600), call(10, duration=300.5)],
            "15m of 30m in 2h, at 2026-09-07 10:10:00",
            "`at_least` were 15m (is 30m)",
        ),
        (
            "{stays_in: mall, for: 30m}",
            [seen(0, "mall-1"), seen(26, "out"), seen(100, "mall-2"), seen(110, "out")],
            "26m of 30m in mall, from 2026-09-07 10:00:00 to 2026-09-07 10:26:00",
            "`for` were 25m (is 30m)",
        ),
        (
            "{stays_in: centre, for: 30m}",
            [seen(0, "mall-1"), seen(10, "hall-1"), seen(29, "mall-1"), seen(31, "out")],
            "19m of 30m in hall, from 2026-09-07 10:10:00 to 2026-09-07 10:29:00",
            "`for` were 18m (is 30m)",
        ),
        (
            "{stays_in: yard, for: 30m}",  # from its first sighting outside on it is in doubt
            [seen(0, "yard-1"), seen(10, "out"), seen(12, "yard-1"), seen(26, "out"), seen(34, "out")],
            "26m of 30m in yard, from 2026-09-07 10:00:00 to 2026-09-07 10:26:00",
            "`for` were 25m (is 30m)",
        ),
        (
            "{enters: mall, confirm: 30m}",
            [seen(0, "out"), seen(1, "mall-1"), seen(27, "out"), seen(30, "mall-1"), seen(40, "out")],
            "26m of 30m in mall, from 2026-09-07 10:01:00 to 2026-09-07 10:27:00",
            "`confirm` were 25m (is 30m)",
        ),
        (
            "{sequence: [{happens: call.out}, {enters: hall}], within: 1h}",
            [call(0), seen(10, "out"), seen(75, "hall-1")],
            "all 2 steps in 1h15m, 2026-09-07 10:00:00 to 2026-09-07 11:15:00: 15m too long for 1h",
            "`within` were 1h16m (is 1h)",
        ),
        (
            "{sequence: [{happens: call.out}, {happens: sms.out}, {enters: hall}], within: 1h}",
            [call(0), {"kind": "sms.out", "at": 5, "number": "10086"}, call(20)],
            "2 of 3 steps in 1h, step 2 at 2026-09-07 10:05:00",
            None,
        ),
        (
            "{after: {enters: mall}, no: {happens: data.session}, for: 30m}",
            [seen(0, "mall-1"), data(21, 1), seen(400, "out"), seen(500, "mall-1"), data(510, 1)],
            "21m of 30m since 2026-09-07 10:00:00, then data.session at 2026-09-07 10:21:00",
            "`for` were 20m (is 30m)",
        ),
        (
            "{after: {happens: call.out}, no: {enters: hall}, for: 30m}",
            [call(0), call(25), seen(30, "hall-1")],
            "25m of 30m since 2026-09-07 10:00:00, then `after` again at 2026-09-07 10:25:00",
            "`for` were 24m (is 30m)",
        ),
        (
            "{all_of: [{happens: call.out}, {enters: hall}, {happens: recharge}], within: 1h}",
            [call(0), seen(50, "hall-1"), call(300)],
            "2 of 3 parts in 1h, at 2026-09-07 10:50:00; part 3 is missing",
            None,
        ),
        (
            "{all_of: [{happens: call.out}, {enters: hall}], within: 1h}",
            [call(0), seen(90, "hall-1")],
            "all 2 parts in 1h30m, 2026-09-07 10:00:00 to 2026-09-07 11:30:00: 30m too long for 1h",
            "`within` were 1h31m (is 1h)",
        ),
        (
            "{happens: call.out, where: {number: hotline, duration: at least 30s}}",
            [call(0, duration=12.5), call(10, number="10010", duration=3)],
            "1 of 2 lines hold, not where.duration, at 2026-09-07 10:00:00",
            "`where.duration` were at least 12s (is at least 30s)",
        ),
        (
            "{happens: call.out, where: {duration: 60 to 120}, unless: {number: hotline}}",
            [call(0, number="10010", duration=30.5), call(10, duration=3)],
            "1 of 2 lines hold, not where.duration, at 2026-09-07 10:00:00",
            "`where.duration` were 30s to 2m (is 1m to 2m)",
        ),
        (
            "{happens: call.out, where: {duration: over 9s}, unless: {number: hotline}}",
            [call(0)],
            "1 of 2 lines hold, not unless.number, at 2026-09-07 10:00:00",
            "`unless.number` were not asked (is hotline, was 10086)",
        ),
        (
            "{happens: call.out, unless: {number: hotline}}",
            [call(0)],
            "0 of 1 lines hold, not unless.number, at 2026-09-07 10:00:00",
            None,
        ),
        (
            "{happens: call.out, where: {number: hotline, duration: at most 10s}}",
            [call(0, number="10010", duration=12)],
            "0 of 2 lines hold, not where.number, where.duration, at 2026-09-07 10:00:00",
            None,
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_how_near_it_came(when: str, records: list[dict[str, Any]], text: str, change: str | None) -> None:
    when = when.replace("60 to 120", "1m to 2m")
    found = told(when, records)
    assert found.line().instants == 0
    assert found.near() == (text, change)


def test_an_open_visit_is_told_as_it_stands() -> None:
    found = told("{stays_in: mall, for: 30m}", [seen(0, "mall-1")], minutes=26)
    assert found.near()[0] == "26m of 30m in mall, so far, since 2026-09-07 10:00:00"


def test_a_visit_that_ended_in_the_dark_lasted_until_the_phone_was_off() -> None:
    records = [seen(0, "mall-1"), {"kind": "power.off", "at": 20}, seen(55, "out")]
    assert told("{stays_in: mall, for: 30m}", records).near() == (
        "20m of 30m in mall, from 2026-09-07 10:00:00 to 2026-09-07 10:20:00",
        "`for` were 19m (is 30m)",
    )


def test_a_leaving_that_nobody_saw_is_said() -> None:
    found = told("{leaves: mall}", [seen(0, "mall-1"), seen(200, "out")])
    text, change = found.near()
    assert text == (
        "seen outside mall at 2026-09-07 13:20:00, but whereabouts were unknown by then "
        "(2026-09-07 10:58:00 at the latest)"
    )
    assert change is None
    off = [seen(0, "mall-1"), {"kind": "power.off", "at": 20}, seen(30, "out")]
    assert told("{leaves: mall}", off).near()[0].endswith("but the power was off before")


def test_coming_back_after_a_long_silence_is_no_entry() -> None:
    found = told("{enters: mall}", [seen(0, "mall-1"), seen(400, "mall-1")], minutes=50 * 60)
    assert found.line().instants == 1  # the first time, of which nobody had seen them for 48 hours before
    assert found.near() == (
        "seen in mall again at 2026-09-07 16:40:00, but the sighting before was there, too",
        None,
    )


def test_what_is_older_than_48_hours_is_not_near_any_more() -> None:
    when = "{count: call.out, at_least: 3, within: 2h}"
    records = [call(0), call(60), call(49 * 60)]
    assert told(when, records, minutes=47 * 60).near()[0] == "2 of 3 in 2h, at 2026-09-07 11:00:00"
    assert told(when, records, minutes=50 * 60).near()[0] == "1 of 3 in 2h, at 2026-09-09 11:00:00"


def test_a_mark_passed_long_ago_is_said_and_not_lowered() -> None:
    when = "{count: call.out, at_least: 2, within: 48h}"
    records = [call(30 * hour) for hour in range(120)]
    found = told(when, records, minutes=60 * 60)
    text, change = found.near()
    assert text.endswith("it only matches as it comes to 2")
    assert change is None


def test_what_stands_under_no_is_never_near() -> None:
    when = "{after: {enters: mall}, no: {count: data.session, at_least: 2, within: 1h}, for: 30m}"
    found = told(when, [seen(0, "mall-1"), data(5, 1)])
    assert found.line("when.no").nearest is None


def test_nothing_of_its_kind_is_no_miss() -> None:
    assert told("{count: call.out, at_least: 3, within: 2h}", [seen(0, "out")]).line().nearest is None


def test_parts_inside_have_their_own() -> None:
    when = "{sequence: [{count: call.out, at_least: 3, within: 1h}, {enters: hall}], within: 2h}"
    found = told(when, [call(0), call(5), seen(10, "hall-1")])
    assert found.near("when.step 1") == ("2 of 3 in 1h, at 2026-09-07 10:05:00", "`at_least` were 2 (is 3)")
    assert found.changes() == ["`at_least` were 2 (is 3) of when.step 1"]


def test_the_best_of_48_hours_is_half_open() -> None:
    """What came 48 hours ago to the µs is gone, and the next best stands."""
    best: Best[str] = Best()
    best.add(0, 9, "first")
    best.add(5, 3, "second")
    assert best.at(HOURS_48 - 1) == "first"
    assert best.at(HOURS_48) == "second"
    assert best.at(HOURS_48 + 4) == "second"
    assert best.at(HOURS_48 + 5) is None
    best.add(HOURS_48, 1, "third")
    assert best.at(HOURS_48) == "second"
    assert best.at(HOURS_48 + 5) == "third"
    last: Best[str] = Best()
    last.add(1, 9, "first")
    last.add(HOURS_48, 1, "second")
    assert last.at(HOURS_48) == "first"


def test_a_visit_in_doubt_is_said_to_be_one() -> None:
    found = told("{leaves: yard}", [seen(0, "yard-1"), seen(3, "out")], minutes=5)
    assert found.line().state == "now in yard (seen outside since 2026-09-07 10:03:00, not yet left)"
    assert told("{leaves: yard}", [seen(0, "yard-1"), seen(3, "out")], minutes=20).stories["it"].decisions


def test_a_dwell_that_ran_out_in_doubt_waits() -> None:
    found = told("{stays_in: yard, for: 30m}", [seen(0, "yard-1"), seen(26, "out")], minutes=31)
    assert found.line().state == (
        "the time in yard ran out in doubt (seen outside since 2026-09-07 10:26:00, not yet left): "
        "waits for a sighting that goes on with the visit"
    )
    back = [seen(0, "yard-1"), seen(26, "out"), seen(31, "yard-1")]
    assert told("{stays_in: yard, for: 30m}", back, minutes=32).stories["it"].decisions


HOMES: list[tuple[str, dict[str, str], str]] = [
    ("no", {"home": "mall-2", "work": "hall-1"}, "lives or works there"),
    ("yes", {"home": "out"}, "lives and works elsewhere"),
    ("yes", {}, "where they live or work was not known"),
    ("no", {}, "where they live or work was not known"),
]
LEARNS = FILES["policy.yaml"] + "\nlearn: {home: 23:00 to 06:00}\n"


def told_of(when: str, records: list[dict[str, Any]], home: dict[str, Any], minutes: float = DAY) -> Told:
    return tell(rules_of(rule(when), policy=LEARNS), records, minutes, **home)


@pytest.mark.parametrize(("resident", "home", "why"), HOMES)
def test_an_entry_of_somebody_who_is_not_meant(resident: str, home: dict[str, str], why: str) -> None:
    """Also if they are seen there again later: that was no entry, whoever they are."""
    records = [
        seen(0, "out"),
        seen(570, "out"),
        seen(600, "mall-1"),
        seen(610, "mall-1"),
        seen(840, "mall-1"),
    ]
    found = told_of(f"{{enters: mall, resident: {resident}}}", records, home)
    change = f"`resident` were not asked (is {resident})"
    assert found.near() == (f"entered mall at 2026-09-07 20:00:00, but {why}", change)
    assert found.changes() == [change]


@pytest.mark.parametrize(("resident", "home", "why"), HOMES)
@pytest.mark.parametrize("verb", ["stays_in: mall, for: 30m", "enters: mall, confirm: 30m"])
def test_a_stay_of_somebody_who_is_not_meant(
    verb: str, resident: str, home: dict[str, str], why: str
) -> None:
    when, change = f"{{{verb}, resident: {resident}}}", f"`resident` were not asked (is {resident})"
    away = [seen(-60, "out"), seen(0, "mall-1")]
    full = ("30m of 30m in mall, since 2026-09-07 10:00:00, but " + why, change)
    for records in ([*away, seen(40, "out")], [*away, seen(70, "mall-1"), seen(80, "out")]):
        found = told_of(when, records, home)
        assert found.near() == full
        assert found.changes() == [change]
    short = told_of(when, [*away, seen(26, "out")], home)
    text = "26m of 30m in mall, from 2026-09-07 10:00:00 to 2026-09-07 10:26:00"
    assert short.near() == (f"{text}; {why}", None)
    assert short.changes() == []


def test_a_part_for_those_who_are_not_meant() -> None:
    when = "{sequence: [{enters: mall, resident: no}, {happens: call.out}], within: 1h}"
    found = told_of(when, [seen(-60, "out"), seen(0, "mall-1"), call(10)], {"home": "mall-1"})
    assert found.near("when.step 1")[0] == "entered mall at 2026-09-07 10:00:00, but lives or works there"
    assert found.changes() == ["`resident` were not asked (is no) of when.step 1"]


def test_who_is_meant_and_seen_again_is_told_that() -> None:
    records = [seen(0, "mall-1"), seen(400, "mall-1")]
    found = told_of("{enters: mall, resident: yes}", records, {"home": "mall-1"}, minutes=50 * 60)
    assert found.near()[0].startswith("seen in mall again at")
