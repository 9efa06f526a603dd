"""Homes and places of work, learned and asked for: docs/decisions/0020."""

from __future__ import annotations

from typing import Any

import orjson

from engine.codec import decode, encode
from engine.outbox import profile_of
from engine.residence import CELLS, Habits
from tests.unit.pipeline.stage import BAR, CAFE, KEY, STREET, Stage, minutes, rule, rules_of

HOURS, NIGHTS = 60, 24 * 60
"""Minutes of an hour, of a day."""
EVENING = 13 * HOURS
"""23:00 of the first day, in minutes past ten."""
LEARN = {"home": "23:00 to 06:00", "work": "10:00 to 17:00"}


def stage(when: dict[str, Any], given: dict[str, Any] | None = None) -> Stage:
    presence = {"lapse": "58m", "bridge": "4h"}
    return Stage(rule("r", when), given=given, learn=LEARN, presence=presence)


def night(on: Stage, number: int, cell: str, minutes_in: float = 7 * HOURS) -> None:
    """A night in a cell, seen every half hour, and a sighting in the street in the morning."""
    begin = number * NIGHTS + EVENING
    at = 0.0
    while at < minutes_in:
        on.see(cell, begin + at)
        at += 30
    on.see(STREET, begin + minutes_in)


def test_after_three_nights_it_is_known_where_somebody_lives() -> None:
    on = stage({"happens": "call.out"})
    for number in range(3):
        assert "home" not in on.sub.profile
        night(on, number, CAFE)
    assert on.sub.profile["home"] == CAFE
    assert on.sub.habits is not None
    assert on.sub.habits.sums[CAFE][0] == ((25_200 * 15 // 16 + 25_200) * 15 // 16) + 25_200
    assert "work" not in on.sub.profile


def test_each_night_is_written_as_a_profile() -> None:
    on = stage({"happens": "call.out"})
    on.fold.profiles.clear()
    on.see(CAFE, EVENING)
    on.see(CAFE, EVENING + 30)
    on.see(STREET, EVENING + 40)
    assert on.fold.profiles == {}
    on.see(STREET, EVENING + 7 * HOURS)
    assert list(on.fold.profiles) == [KEY]
    written = orjson.loads(profile_of(on.sub, 1))
    assert written["habits"][3] == {CAFE: [2_400, 0], STREET: [58 * 60, 0]}


def test_working_days_are_mondays_to_fridays() -> None:
    on = stage({"happens": "call.out"})
    for day in range(7):
        for half in range(14):
            on.see(BAR, day * NIGHTS + half * 30)
        on.see(STREET, day * NIGHTS + 7 * HOURS)
        assert ("work" in on.sub.profile) == (day >= 2)
    assert on.sub.profile["work"] == BAR
    assert on.sub.habits is not None
    seconds = 0
    for _ in range(5):
        seconds = seconds * 15 // 16 + 7 * 3_600
    assert on.sub.habits.sums[BAR][1] == seconds


def test_time_that_nobody_knows_about_is_not_counted() -> None:
    on = stage({"happens": "call.out"})
    on.see(CAFE, EVENING)
    on.record("power.off", EVENING + 10)
    on.see(CAFE, EVENING + 300)
    on.see(STREET, EVENING + 420)
    assert on.sub.habits is not None
    assert on.sub.habits.sums[CAFE][0] == (10 + 58) * 60


def test_without_a_consent_nothing_is_learned_and_all_is_forgotten() -> None:
    for purpose in ("profiling", "location"):
        on = stage({"happens": "call.out"})
        for number in range(3):
            night(on, number, CAFE)
        on.record("consent.change", 0, consent={purpose: False})
        assert "home" not in on.sub.profile
        assert on.sub.habits is None
        night(on, 3, CAFE)
        assert on.sub.habits is None
        assert b"habits" not in profile_of(on.sub, 1)


def test_not_asked_for_nothing_is_learned() -> None:
    on = Stage(rule("r", {"happens": "call.out"}))
    for number in range(3):
        night(on, number, CAFE)
    assert on.sub.habits is None
    assert on.sub.profile == {}


def test_few_cells_are_remembered() -> None:
    on = stage({"happens": "call.out"})
    cells = [f"460-00-7-{number}" for number in range(12)]
    for number, cell in enumerate(cells):
        on.see(cell, EVENING + number * number)
    on.see(STREET, EVENING + 7 * HOURS)
    assert on.sub.habits is not None
    assert sorted(on.sub.habits.sums) == sorted(cells[-CELLS:])


def test_of_cells_with_equal_time_the_last_by_its_text_goes() -> None:
    on = stage({"happens": "call.out"})
    # one's name is the beginning of another's
    cells = [f"460-00-1-{number}" for number in (2, 21, *range(30, 30 + CELLS - 1))]
    assert len(cells) == CELLS + 1
    for number, cell in enumerate(cells[2:] + cells[1::-1]):
        minutes_in = 20 if cell in cells[:2] else 30
        on.see(cell, EVENING + number * 30)
        on.record("power.off", EVENING + number * 30 + minutes_in)
    on.see(STREET, EVENING + 7 * HOURS)
    assert on.sub.habits is not None
    assert cells[0] in on.sub.habits.sums
    assert cells[1] not in on.sub.habits.sums


def test_habits_are_stored() -> None:
    on = stage({"happens": "call.out"})
    for number in range(3):
        night(on, number, CAFE)
    on.see(CAFE, 4 * NIGHTS + EVENING)
    on.see(BAR, 4 * NIGHTS + EVENING + 20)
    again = decode(KEY, encode(on.sub))
    assert again.habits is not None
    assert on.sub.habits is not None
    assert again.habits.pack() == on.sub.habits.pack()
    assert again.profile == on.sub.profile


def given(**fields: Any) -> dict[str, Any]:
    return {"consent": {"marketing": True, "profiling": True, "location": True}, "profile": fields}


def test_residents_and_visitors() -> None:
    for resident, home, count in (("yes", CAFE, 1), ("no", CAFE, 0), ("yes", BAR, 0), ("no", BAR, 1)):
        on = stage({"enters": "cafe", "resident": resident}, given(home=home))
        assert len(on.see(CAFE, 1)) == count
        on = stage({"stays_in": "cafe", "for": "10m", "resident": resident}, given(work=home))
        on.see(CAFE, 1)
        assert minutes(on.tick(12)) == [11] * count


def test_of_whom_it_is_not_known_neither_fires() -> None:
    for resident in ("yes", "no"):
        on = stage({"enters": "cafe", "resident": resident})
        assert on.see(CAFE, 1) == []


def test_in_a_group_the_first_member_that_fits_is_named() -> None:
    on = stage({"enters": "out", "resident": "no"}, given(home=BAR))
    assert on.see(BAR, 1) == []
    (decision,) = on.see(CAFE, 2)
    assert decision["place"] == "cafe"


def test_time_under_rules_that_do_not_learn_does_not_count() -> None:
    presence = {"lapse": "58m", "bridge": "4h"}
    with_learning = rules_of(rule("r", {"happens": "call.out"}), presence=presence, learn=LEARN)
    without = rules_of(rule("r", {"happens": "call.out"}), presence=presence)
    on = stage({"happens": "call.out"})
    on.see(CAFE, 0)
    on.switch(without)
    for half in range(1, 336):
        on.see(CAFE, half * 30)
    on.see(BAR, 7 * NIGHTS)
    on.switch(with_learning)
    on.see(BAR, 7 * NIGHTS + 10)
    on.see(STREET, 7 * NIGHTS + 20)
    on.see(STREET, 8 * NIGHTS + 20)
    assert on.sub.habits is not None
    assert on.sub.habits.sums == {BAR: [0, 600], STREET: [0, 58 * 60]}
    assert on.sub.profile == {}


def test_a_rebuild_counts_nothing_twice() -> None:
    log: list[tuple[str, float]] = []
    for number in range(4):
        log += [(CAFE, number * NIGHTS + EVENING + half * 30) for half in range(14)]
        log += [(STREET, number * NIGHTS + EVENING + (14 + half) * 30) for half in range(30)]
    on = stage({"happens": "call.out"})
    kept = b""
    for number, (cell, at) in enumerate(log):
        if number == 60:  # the mark; the log goes on from there, but is folded from before it
            kept = profile_of(on.sub, 1)
        on.see(cell, at)
    profile = orjson.loads(kept)
    again = stage({"happens": "call.out"})
    again.sub.profile, again.sub.consent = profile["profile"], profile["consent"]
    again.sub.habits = Habits.unpack(profile["habits"])
    for cell, at in log[20:]:
        again.see(cell, at)
    assert again.sub.habits == on.sub.habits
    assert again.sub.profile == on.sub.profile
    assert on.sub.profile["home"] == CAFE
