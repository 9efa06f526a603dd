"""Fewer sightings, the same presence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.event import Event
from engine.treatments.thinning import Thinning
from engine.treatments.where_options import ThinningOptions
from tests.unit.pipeline.stage import BAR, CAFE, CAFE_2, KEY, STREET, Stage, rule, when
from tests.unit.treatments.support import MINUTE, A, B, event, shown, take


def step(**options: object) -> Thinning:
    return Thinning(ThinningOptions.model_validate(options))


def test_in_the_same_cell_one_in_four_minutes_goes_on() -> None:
    thin = step()
    out = take(thin, *(event(seconds, A) for seconds in (0, 100, 240, 241, 400, 481, 482)))
    assert [seconds for seconds, _, _ in shown(out)] == [0, 241, 482]
    assert thin.counts == {"dropped_same": 4}


def test_what_may_say_something_new_goes_on() -> None:
    thin = step()
    out = take(
        thin, event(0, A), event(1, B), event(2, A), event(3, A, rat="LTE"), event(4, A, rat="LTE"),
        event(5, A, "call.out"), event(6, A), event(7, A, "loc.update"), event(8, A, phase="stop"),
        event(5, A), event(9, A, key="other"), event(10, None),
    )  # fmt: skip
    assert [round(seconds) for seconds, _, _ in shown(out)] == [0, 1, 2, 3, 5, 7, 8, 5, 9, 10]
    assert thin.counts == {"dropped_same": 2}


def test_after_a_power_off_the_next_goes_on() -> None:
    assert len(take(step(), event(0, A), event(1, None, "power.off"), event(2, A))) == 3


def test_what_is_flagged_is_no_sighting() -> None:
    thin = step()
    out = take(thin, event(0, A), event(1, B, quality=["no_trigger"]), event(2, A), event(300, B))
    assert [seconds for seconds, _, _ in shown(out)] == [0, 1, 300]


def test_paging_and_context_release_are_dropped_of_sightings_only() -> None:
    thin = step()
    out = take(
        thin, event(0, A, cause="paging"), event(1, B, cause="context_release"), event(2, A, cause="other"),
        event(3, A, "call.out", cause="paging"),
    )  # fmt: skip
    assert [seconds for seconds, _, _ in shown(out)] == [2, 3]
    assert thin.counts == {"dropped_cause": 2}
    assert len(take(step(drop=[]), event(0, A, cause="paging"))) == 1


def test_so_far_apart_that_presence_would_lapse_is_refused() -> None:
    with pytest.raises(ValidationError, match="lapse - periodic or less"):
        step(every=4 * MINUTE + 1)
    step(every=16 * MINUTE, lapse=70 * MINUTE)
    step(every=0, lapse=30 * MINUTE)


RULES = (
    rule("enters", {"enters": "cafe"}),
    rule("leaves", {"leaves": "cafe"}),
    rule("stays", {"stays_in": "cafe", "for": "50m"}),
    rule("calls", {"happens": "call.out", "where": {"place": "cafe"}}),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 54 * 60),
            st.sampled_from((CAFE, CAFE_2, BAR, STREET)),
            st.sampled_from(("loc.sight", "loc.sight", "loc.sight", "call.out", "power.off")),
        ),
        max_size=25,
    )
)
def test_presence_and_decisions_stay_the_same(script: list[tuple[int, str, str]]) -> None:
    """As long as the handset is heard of once in the periodic timer."""
    whole, thinned, thin, seconds = Stage(*RULES), Stage(*RULES), step(), 0
    for number, (after, cell, kind) in enumerate(script):
        seconds += after
        t = when(seconds / 60)
        fields = {"kind": kind, "t": t, "subscriber_key": KEY, "cell": cell, "source": "feed"}
        each = Event(kind, t, KEY, fields, cell, t, str(number), "feed", f"0:{number}")
        made = whole.tick((seconds - 1) / 60) + whole.apply(each)
        left = thinned.tick((seconds - 1) / 60)
        for out in thin.take(each):
            left += thinned.apply(out)
        names = ("rule", "at", "outcome", "reason", "place")
        assert [[line.get(name) for name in names] for line in left] == [
            [line.get(name) for name in names] for line in made
        ]
        assert (thinned.sub.inside, thinned.sub.cell) == (whole.sub.inside, whole.sub.cell)
