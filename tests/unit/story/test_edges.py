"""Which cases are made: the pair at each border, to the second."""

from __future__ import annotations

from typing import Any

import pytest

from engine.language.testing import FieldValue
from engine.story.boundaries import Boundary, boundaries
from tests.unit.story.support import cases_of, rules_of

SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000


def times(boundary: Boundary) -> list[int]:
    """Times of the steps, µs from the first."""
    first = boundary.case.events[0].at
    return [step.at - first for step in boundary.case.events]


def offers(boundary: Boundary) -> bool:
    return bool(boundary.case.expect)


def test_a_dwell_a_second_short_exactly_and_in_full() -> None:
    rules = rules_of("{stays_in: malls, for: 30m}")
    found = {kind: cases_of(rules, kind)[0] for kind in ("left_before", "left_at", "left_after")}
    assert {kind: times(each)[-1] for kind, each in found.items()} == {
        "left_before": 30 * MINUTE - SECOND,
        "left_at": 30 * MINUTE,
        "left_after": 30 * MINUTE + SECOND,
    }
    assert [offers(each) for each in found.values()] == [False, False, True]


def test_a_dwell_beyond_what_one_sighting_tells() -> None:
    rules = rules_of("{stays_in: malls, for: 2h}")
    (seen,), (unseen,) = cases_of(rules, "seen_at"), cases_of(rules, "unseen_at")
    assert (times(seen)[-1], offers(seen)) == (2 * HOUR - 58 * MINUTE, True)
    assert (times(unseen)[-1], offers(unseen)) == (2 * HOUR - 58 * MINUTE - SECOND, False)


def test_a_confirmed_entry_has_the_edges_of_a_dwell() -> None:
    rules = rules_of("{enters: malls, confirm: 5m}")
    assert times(cases_of(rules, "left_before")[0])[-1] == 5 * MINUTE - SECOND
    assert times(cases_of(rules, "left_after")[0])[-1] == 5 * MINUTE + SECOND


def test_a_count_one_short_and_windows_that_just_hold() -> None:
    rules = rules_of("{count: call.out, at_least: 3, within: 24h}")
    assert cases_of(rules, "too_few")[0].case.events[0].times == 2
    (outside,), (inside,) = cases_of(rules, "window_out"), cases_of(rules, "window_in")
    for case, apart, offered in ((outside, 24 * HOUR, False), (inside, 24 * HOUR - SECOND, True)):
        first, late = case.case.events
        last = late.at + (late.times - 1) * late.every
        assert (last - first.at, first.times + late.times, offers(case)) == (apart, 3, offered)


def test_a_total_just_under_and_just_enough() -> None:
    rules = rules_of("{total: recharge.amount, at_least: 100 yuan, within: 24h}")

    def paid(kind: str) -> float:
        return sum(float(str(step.fields["amount"])) for step in cases_of(rules, kind)[0].case.events)

    assert round(paid("too_little"), 6) == 99.99
    assert paid("enough") == 100


def test_absence_is_cancelled_up_to_the_last_moment() -> None:
    rules = rules_of("{after: {happens: power.on}, no: {happens: data.session}, for: 1h}")
    cancelled = [times(each)[-1] for each in cases_of(rules, "cancelled")]
    assert cancelled == [30 * MINUTE, HOUR]
    (late,) = cases_of(rules, "too_late_to_cancel")
    assert (times(late)[-1], offers(late)) == (HOUR + SECOND, True)


@pytest.mark.parametrize(
    ("when", "kinds"),
    [
        ("{sequence: [{happens: bill},"
         " {after: {enters: malls}, no: {happens: data.session}, for: 1h}], within: 4h}",
         {"cancelled", "too_late_to_cancel", "before_wait"}),
        ("{sequence: [{enters: malls}, {after: {leaves: malls}, no: {happens: bill}, for: 1h}], within: 4h}",
         {"cancelled", "too_late_to_cancel", "before_wait"}),
        ("{sequence: [{enters: malls}, {after: {enters: malls}, no: {happens: bill}, for: 1h}], within: 4h}",
         {"cancelled", "too_late_to_cancel", "before_wait"}),
        ("{sequence: [{enters: malls}, {after: {leaves: malls}, no: {enters: malls}, for: 1h}], within: 4h}",
         {"cancelled"}),
        ("{sequence: [{happens: bill},"
         " {after: {happens: call.out}, no: {happens: bill}, for: 1h}], within: 4h}",
         {"cancelled"}),
        ("{sequence: ["
         " {after: {leaves: malls}, no: {happens: bill}, for: 1h}, {happens: call.out}], within: 4h}",
         {"cancelled", "too_late_to_cancel", "before_wait"}),
        ("{all_of: [{happens: bill},"
         " {after: {happens: call.out}, no: {happens: bill}, for: 1h}], within: 4h}",
         {"cancelled"}),
    ],
)  # fmt: skip
def test_a_wait_among_others_has_its_edges_too(when: str, kinds: set[str]) -> None:
    """What cancels it, at its last moment and a second later, and what does not since it came before."""
    rules = rules_of(when)
    assert kinds <= {case.note.kind for case in boundaries(rules, "it").cases}
    for case in cases_of(rules, "cancelled"):
        assert not offers(case)
    for kind in ("too_late_to_cancel", "before_wait"):
        assert all(offers(case) for case in cases_of(rules, kind))


def test_order_matters_to_a_sequence_only() -> None:
    parts = "[{happens: call.out}, {happens: sms.out}]"
    (wrong,) = cases_of(rules_of(f"{{sequence: {parts}, within: 2h}}"), "wrong_order")
    (other,) = cases_of(rules_of(f"{{all_of: {parts}, within: 2h}}"), "other_order")
    assert (offers(wrong), offers(other)) == (False, True)


@pytest.mark.parametrize(
    ("line", "passing", "failing"),
    [
        ("arpu: at least 50 yuan", [50], [49.99]),
        ("arpu: under 50 yuan", [49.99], [50]),
        ("age: 17 to 26", [17, 26], [16, 27]),
        ("age: not 30", [29, 31], [30]),
        ("data.left: at most 20%", [20], [21]),
        ("data.left: at least 0%", [0], []),
        ("data.month: over 300 MB", [300 * 1024**2 + 1024], [300 * 1024**2]),
        ("handset.mms: yes", [], [False]),
        ("tier: [gold, vip]", [], ["ordinary"]),
        ("tags: student", [], [[]]),
    ],
)
def test_lines_of_who(line: str, passing: list[FieldValue], failing: list[FieldValue]) -> None:
    rules = rules_of("{happens: call.out}", who=f"{{{line}}}", excepts="{products: mall-coupon}")
    assert [each.note.value for each in cases_of(rules, "who_passes")] == passing
    assert [each.note.value for each in cases_of(rules, "who_fails")] == failing
    (unknown,) = cases_of(rules, "who_unknown")
    assert unknown.case.because == f"who.{line.partition(':')[0]}"


def test_a_label_that_is_excepted_stands_beside_the_one_that_is_asked_for() -> None:
    rules = rules_of("{happens: call.out}", who="{tags: student}", excepts="{tags: do-not-disturb}")
    (barred,) = cases_of(rules, "except_bars")
    assert barred.case.given["tags"] == ["student", "do-not-disturb"]
    assert barred.case.because == "except.tags"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"who": "{tags: student}", "excepts": "{tags: student}"}, "nobody"),
        ({"schedule": "schedule: {hours: 22:00 to 23:00}", "swap": {"2026-09-30": "2026-09-01"}}, "quiet"),
        ({"schedule": "schedule: {days: [mon]}", "swap": {"2026-09-30": "2026-09-06"}}, "never"),
    ],
)
def test_why_there_is_no_case(changed: dict[str, Any], problem: str) -> None:
    assert boundaries(rules_of("{happens: call.out}", **changed), "it").problem == problem


@pytest.mark.parametrize(
    "when",
    [
        "{sequence: [{count: call.out, at_least: 2, within: 1h}, {happens: call.out}], within: 2h}",
    ],
)
def test_what_is_not_sure_is_not_told(when: str) -> None:
    assert boundaries(rules_of(when), "it").problem == "unstaged"


def test_the_story_s_text_of_a_record_shows_what_the_message_names() -> None:
    cases = boundaries(rules_of("{happens: call.out}"), "it").cases
    assert all(not step.fields for step in cases[0].case.events)
