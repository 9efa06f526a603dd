"""Cells of calls and sessions whose record arrives at their end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.event import Event
from engine.treatments.start_cell import StartCell
from engine.treatments.where_options import StartCellOptions
from tests.unit.pipeline.stage import BAR, CAFE, KEY, STREET, Stage, rule, when
from tests.unit.treatments.support import A, B, event, shown, take


def step(**options: object) -> StartCell:
    return StartCell(StartCellOptions.model_validate(options))


def test_a_long_one_loses_its_cell_which_becomes_a_sighting_at_its_start() -> None:
    cells = step()
    call, sight = take(
        cells,
        event(1_000, A, "call.out", start=600, id="7", rat="LTE", source="cs", tac8="35209900", number="1"),
    )
    assert (call.cell, call.fields["quality"], call.seen - call.t) == (None, ["start_cell"], -400_000_000)
    assert sight.fields == {
        "kind": "loc.sight", "t": call.seen, "cell": A, "subscriber_key": "k", "source": "cs", "rat": "LTE",
        "tac8": "35209900", "id": "7/start", "quality": ["synthetic"],
    }  # fmt: skip
    assert (sight.key, sight.t, sight.cell, sight.id) == ("k", call.seen, A, "7/start")
    assert cells.counts == {"cell_taken": 1, "added": 1}


def test_a_short_one_and_whatever_has_no_start_stay_as_they_are() -> None:
    cells = step()
    given = [
        event(1_000, A, "call.out", start=700), event(1_000, A, "data.session"), event(9_000, A, start=0),
        event(9_000, None, "sms.in", start=0), event(9_000, A, "power.on", start=0),
    ]  # fmt: skip
    before = [dict(each.fields) for each in given]
    assert [each.fields for each in take(cells, *given)] == before
    assert not cells.counts


def test_a_start_more_than_an_hour_ago_is_no_sighting_any_more() -> None:
    assert shown(take(step(), event(3_601, A, "data.session", start=0))) == [(3_601, None, ["start_cell"])]
    assert len(take(step(), event(3_600, A, "data.session", start=0))) == 2


def test_the_cell_of_the_end_becomes_a_sighting_at_the_end() -> None:
    cells = step()
    call, end = take(cells, event(100, A, "call.in", start=0, cell_end=B))
    assert (call.cell, call.seen, "cell_end" in call.fields) == (A, call.t - 100_000_000, False)
    assert (end.cell, end.t, end.id, end.fields["quality"]) == (B, call.t, None, ["synthetic"])
    assert shown(take(cells, event(1_000, A, "call.in", start=0, cell_end=B))) == [
        (1_000, None, ["start_cell"]),
        (0, A, ["synthetic"]),
        (1_000, B, ["synthetic"]),
    ]
    assert shown(take(cells, event(5, None, "sms.out", cell_end=B))) == [(5, None, []), (5, B, ["synthetic"])]


def test_a_feed_whose_cell_is_that_of_the_end_is_seen_at_the_end() -> None:
    cells = step(cell_is="end")
    (call,) = take(cells, event(9_000, A, "data.http", start=0, up=7))
    assert (call.seen, call.cell, call.fields["up"]) == (call.t, A, 7)
    assert "t_start" not in call.fields
    assert cells.counts == {"moved_to_end": 1}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 40),
            st.sampled_from((CAFE, BAR, STREET)),
            st.sampled_from(("loc.update", "call.out", "data.session")),
            st.integers(0, 70),
        ),
        max_size=12,
    )
)
def test_presence_becomes_what_it_would_have_been(script: list[tuple[int, str, str, int]]) -> None:
    plain, treated, cells = Stage(rule("r", {"enters": "cafe"})), Stage(rule("r", {"enters": "cafe"})), step()
    minute = 0
    for number, (after, cell, kind, lasted) in enumerate(script):
        minute += after
        lasted = lasted if kind != "loc.update" else 0
        plain.apply(at(minute, cell, kind, lasted, number))
        for each in cells.take(at(minute, cell, kind, lasted, number)):
            treated.apply(each)
        for name in ("inside", "seen_at", "cell", "known_until"):
            assert getattr(treated.sub, name) == getattr(plain.sub, name)
        assert {place: visit[0] for place, visit in treated.sub.visits.items()} == {
            place: visit[0] for place, visit in plain.sub.visits.items()
        }


def test_a_start_of_long_ago_enters_nothing_now() -> None:
    on = Stage(rule("r", {"enters": "cafe"}))
    on.see(STREET, 0)
    assert [line for each in step().take(at(40, CAFE, "call.out", 30, 1)) for line in on.apply(each)] == []
    assert on.sub.inside == ("cafe",)


def at(minute: int, cell: str, kind: str, lasted: int, number: int) -> Event:
    t, start = when(minute), when(minute - lasted)
    fields = {"kind": kind, "t": t, "subscriber_key": KEY, "cell": cell, "source": "feed", "id": str(number)}
    if lasted:
        fields["t_start"] = start
    return Event(kind, t, KEY, fields, cell, start, str(number), "feed", f"0:{number}")
