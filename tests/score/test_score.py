"""The score itself, small and always run: a clean day is told nearly in full, faults cost what they cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from connectors.city import WITHOUT_FAULTS, City, CityOptions
from connectors.city.xdr import MAP, XdrFiles, row_of
from connectors.column_map import load_map
from connectors.xdr_files import rows
from engine.errors import InputError
from engine.identity import Identity
from engine.intake import Intake
from tests.score import page, tables
from tests.score.__main__ import known_options, main
from tests.score.course import score
from tests.score.day import END, HOUR, MIDNIGHT, CityDay, Visit, live
from tests.score.fidelity import measure, table
from tests.score.judge import T3412, Concluded, Count, Score, judge
from tests.score.variants import ALL, NONE, variants
from tests.score.why import Seen, Trace, causes
from tests.score.world import build, cells_of_place
from tests.testdata import CHECKOUT

PEOPLE = 150
WHO = "460000000000001"
PLACE = "mall-lake"


def lived(folder: Path, options: CityOptions) -> CityDay:
    return live(1, PEOPLE, build(folder).catalog, options)


def test_a_clean_day_is_told_nearly_in_full(tmp_path: Path) -> None:
    day = lived(tmp_path, replace(WITHOUT_FAULTS, night_off=0.0))
    found = score(day, variants()[NONE])
    assert found.visits > 50
    for counts in (found.enters, found.leaves):
        assert counts["wide"].precision > 0.97
        # an errand of three minutes on which nobody is heard of makes one visit of two
        assert counts["wide"].recall > 0.94
    assert found.dwell_at(0.9) < 54.0


def test_treatments_are_worth_something(tmp_path: Path) -> None:
    day = lived(tmp_path, CityOptions())
    known = variants(known_options())
    none, everything = score(day, known[NONE]), score(day, known[ALL])
    assert none.enters["wide"].precision < 0.5
    assert everything.enters["wide"].precision > none.enters["wide"].precision + 0.2
    assert everything.enters["wide"].recall > 0.9
    assert everything.dropped


def test_rows_tell_the_score_what_they_tell_the_collector(tmp_path: Path) -> None:
    """What the score leaves of a row is what the door of files makes of it: times, flags, what is refused."""
    options = replace(CityOptions(), lost_files=0.0, doubled_files=0.0, mangled_times=0.1)
    catalog = build(tmp_path).catalog
    city = City(1, 40, catalog, start=MIDNIGHT, options=replace(options, handset_records=False))
    files = XdrFiles(tmp_path / "xdr", 1, options)
    for record in city.events(26.0):
        files.put(record)
    files.close()
    together = tmp_path / "all.txt"
    together.write_bytes(b"".join(path.read_bytes() for path in sorted((tmp_path / "xdr").iterdir())))
    identity = Identity(b"key of the tests")
    Told = list[tuple[int, str, str | None, bool]]
    by_door: Told = [
        (event.t, event.kind, event.key, "guessed_time" in event.fields.get("quality", ()))
        for event in rows(together, load_map(MAP), Intake(identity))
    ]
    by_score: Told = [
        (
            record["t"] // 1_000 * 1_000,
            record["kind"],
            identity.of_imsi(record["imsi"]) if "imsi" in record else "",
            "guessed_time" in record.get("quality", ()),
        )
        for record in map(orjson.loads, live(1, 40, catalog, options).records)
        if row_of(record) is not None
    ]
    assert sum(guessed for *_, guessed in by_door) > 100
    assert by_score == by_door


@pytest.fixture
def day(tmp_path: Path) -> CityDay:
    made = live(1, 1, build(tmp_path).catalog)
    made.visits, made.handsets = [], []
    return made


def judged(day: CityDay, *enters: int, leaves: tuple[int, ...] = ()) -> Score:
    key = (WHO, PLACE)
    return judge(day, Concluded({key: enters}, {key: leaves}, {}), "here")


def test_a_hit_lies_between_entry_and_exit_and_one_timer(day: CityDay) -> None:
    enter, leave = MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR
    day.visits = [Visit(WHO, PLACE, enter, leave, 1)]
    for at, count in (
        (enter, Count(1, 0, 0)),
        (leave + T3412, Count(1, 0, 0)),
        (enter - 1, Count(0, 1, 1)),
        (leave + T3412 + 1, Count(0, 1, 1)),
    ):
        assert judged(day, at).enters["wide"] == count
    assert judged(day, enter, enter + 1).enters["wide"] == Count(1, 0, 1)
    assert judged(day).enters["wide"] == Count(0, 1, 0)


def test_visits_that_nobody_could_see_are_counted_apart(day: CityDay) -> None:
    enter, leave = MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR
    day.visits = [Visit(WHO, PLACE, enter, leave, 0)]
    found = judged(day, enter + 1)
    assert (found.visits, found.unseen) == (0, 1)
    assert found.enters["wide"] == Count(0, 0, 0)


def test_who_was_there_when_the_day_began_has_not_entered(day: CityDay) -> None:
    day.visits = [Visit(WHO, PLACE, MIDNIGHT, MIDNIGHT + HOUR, 3)]
    found = judged(day, MIDNIGHT + 1, MIDNIGHT + 2, leaves=(MIDNIGHT + HOUR,))
    assert (found.visits, found.enters["wide"]) == (0, Count(0, 0, 1))
    assert (found.leaves["wide"], found.dwell["wide"]) == (Count(1, 0, 0), [])


def seen(minute: float, cell: str | None, *deeds: str) -> Seen:
    at = MIDNIGHT + round(minute * 60_000_000)
    return Seen(at, at, "loc.handover", cell, (), deeds)


def test_causes_are_told_by_what_reached_the_engine(day: CityDay) -> None:
    inside, street = cells_of_place(PLACE)[0], "460-00-6001-1"
    minute = HOUR // 60
    day.visits = [
        Visit(WHO, PLACE, MIDNIGHT + 60 * minute, MIDNIGHT + 120 * minute, 9),
        Visit(WHO, PLACE, MIDNIGHT + 150 * minute, MIDNIGHT + 180 * minute, 2),
        Visit(WHO, PLACE, MIDNIGHT + 300 * minute, MIDNIGHT + 310 * minute, 1),
    ]
    trace = Trace(day, {})
    trace.seen[WHO] = [
        seen(10, street), seen(20, inside, "wrong-cell"), seen(25.5, street), seen(60, inside),
        seen(80, street, "flip"), seen(80.5, inside), seen(160, inside), seen(170, inside), seen(200, street),
        seen(305, None, "no-cell"),
    ]  # fmt: skip
    told = {(WHO, PLACE): [MIDNIGHT + at * minute for at in (21, 61, 82)]}
    false, missed = causes(day, Concluded(told, {}, {}), trace)
    assert false == {
        "never there: inside by wrong-cell for < 6 min": 1,
        "never left: outside by flip for < 1 min": 1,
    }
    assert missed == {
        "not seen outside since the visit before": 1,
        "not seen inside: all its records lost their cell": 1,
    }


def test_a_part_of_the_page_is_written_anew_and_the_rest_stays() -> None:
    begin, end = "<!-- score all: from here on generated -->", "<!-- score all: up to here -->"
    now = datetime(2026, 11, 26, tzinfo=UTC)
    text = page.written(f"before\n{begin}\nold\n{end}\nafter\n", "all", ["new\n"], "./run score", now)
    assert text == f"before\n{begin}\n\nOn 2026-11-26 by `./run score`:\n\nnew\n\n{end}\nafter\n"
    with pytest.raises(InputError, match="all"):
        page.written(text, "most", [], "./run score", now)


def test_a_visit_that_goes_on_has_no_leave_yet(day: CityDay) -> None:
    day.visits = [Visit(WHO, PLACE, END - HOUR, None, 3)]
    assert judged(day, END - HOUR, leaves=()).leaves["wide"] == Count(0, 0, 0)


def test_the_error_of_dwell_is_that_of_both_ends(day: CityDay) -> None:
    enter, leave = MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR
    day.visits = [Visit(WHO, PLACE, enter, leave, 1)]
    found = judged(day, enter + HOUR // 6, leaves=(enter + HOUR // 4, leave + HOUR // 3))
    assert found.dwell["wide"] == [pytest.approx(10.0)]
    assert found.leaves["wide"] == Count(1, 0, 1)


def test_each_place_is_told_and_the_sums_are_theirs(day: CityDay) -> None:
    enter, leave = MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR
    day.visits = [Visit(WHO, PLACE, enter, leave, 1), Visit(WHO, "temple", leave, leave + HOUR, 1)]
    key, other = (WHO, PLACE), (WHO, "mall-gate")
    found = judge(day, Concluded({key: (enter,), other: (enter,)}, {key: (leave,)}, {}), ALL)
    assert found.places[PLACE].enters == found.places[PLACE].leaves == Count(1, 0, 0)
    assert found.places["mall-gate"].enters == Count(0, 0, 1)
    assert found.places["temple"].enters == found.enters["small"] == Count(0, 1, 0)
    assert found.enters["wide"] == Count(1, 0, 1)
    rows = {row[0]: row for row in tables.by_place([found, found], ALL)}
    assert rows["mall-gate"][1:5] == ("5", "0.000", "1.000", "0 / 0 / 2")
    assert tables.as_json(found)["places"]["temple"]["enters"]["missed"] == 1


def test_the_command_names_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (
        ["--variants", "magic"],
        ["--subscribers", "-3"],
        ["--fault", "gremlins=1"],
        ["--fault", "flips"],
        ["--page", "nope"],
        ["--page", ""],
    ):
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "gremlins" in said
    assert "expected --fault NAME=RATE, was flips" in said
    assert "--page: expected a part of docs/signals.md: all, each" in said


def test_tables_show_the_worst_seed() -> None:
    good, bad = Score(1, ALL, visits=600), Score(2, ALL, visits=600)
    good.enters["wide"], bad.enters["wide"] = Count(100, 0, 0), Count(90, 10, 10)
    rows = tables.targets([good, bad], ALL)
    assert [row[-1] for row in rows] == ["met", "MISSED", "MISSED", "met"]
    assert [row[:3] for row in rows[:2]] == [
        ("true visits, all seeds", ">= 1,000", "1,200"),
        ("enter precision, wide, worst seed", ">= 0.98", "0.900"),
    ]
    assert not any("seed" in name for name in tables.TARGETS_HEAD)
    assert "| all | 0.900 | 0.900 |" in tables.markdown(tables.WORST_HEAD, tables.worst([good, bad]))


def test_the_city_is_as_measured() -> None:
    assert [figure.row for figure in measure() if not figure.is_true] == []


def test_the_page_shows_what_is_measured() -> None:
    assert table() in (CHECKOUT / "docs" / "simulator.md").read_text(encoding="utf-8")
