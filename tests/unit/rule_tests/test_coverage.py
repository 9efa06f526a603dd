"""Which lines of a rule its cases decide: each kind of line with a case that does and one that does not."""

from __future__ import annotations

from textwrap import indent

import pytest

from engine.language.loader import load_texts
from engine.rule_tests.coverage import LineResult, cover, percent
from engine.rule_tests.runner import run_files
from tests.unit.rule_tests.support import TEXTS

RULE = """\
rule: r
title: A rule
owner: team
status: live
approved_by: lead
valid: 2026-01-01 to 2026-12-31
when: {when}{schedule}
who: {who}
offer:
  product: retention-plan
  send:
{send}
limits: {{priority: 1, at_most: {at_most}, send_within: {within}, holdout: 10%{limits}}}
goal: {{converts_when: {{happens: product.bought}}, within: 1d}}
"""
SMS = "- {channel: sms, text: 【移动】一。退订回R。}"
CALLS = "[{at: +0m, happens: call.out, number: 10010, duration: 30s, times: 3, every: 1h}]"
NIGHT = "starts: 2026-09-05 20:00"


def look(
    cases: list[str],
    when: str = "{happens: call.out}",
    who: str = "{arpu: at least 40 yuan}",
    send: str = SMS,
    at_most: str = "9 in 1d",
    within: str = "1h",
    limits: str = "",
    given: str = "{arpu: 80 yuan}",
    schedule: str = "",
) -> dict[str, LineResult]:
    """Return the lines of a rule by name; each case is `events, expect` and what else it says."""
    rule = RULE.format(
        when=when,
        who=who,
        send=indent(send, "    "),
        at_most=at_most,
        within=within,
        limits=limits,
        schedule=schedule and f"\nschedule: {schedule}",
    )
    body = "".join(f"  - {{case: number {n}, {case}}}\n" for n, case in enumerate(cases))
    tests = f"tests: r\nstarts: 2026-09-05 10:00\ngiven: {given}\ncases:\n{body}"
    loaded = load_texts({**TEXTS, "a/r.yaml": rule, "a/r.test.yaml": tests}, ignore=["R402"])
    assert loaded.errors == (), "\n".join(problem.pretty() for problem in loaded.errors)
    assert loaded.ruleset is not None
    (result,) = run_files(loaded.ruleset, loaded.tests)
    covered = cover(loaded.ruleset, "r", result.results)
    return {each.line.label: each for each in covered.lines}


def offers(events: str, at: str = "+0m", more: str = "") -> str:
    return f"events: {events}, expect: [{{at: {at}, offer: retention-plan{more}}}]"


def nothing(events: str, because: str) -> str:
    return f"events: {events}, expect: nothing, because: {because}"


ONE = "[{at: +0m, happens: call.out}]"


def test_a_feed_that_is_down_decides_what_waits() -> None:
    """Of `no` it is that part whose feed is down."""
    when = (
        "{after: {happens: power.on}, for: 1h,"
        " no: {any_of: [{happens: call.out}, {count: sms.out, at_least: 2, within: 1h}]}}"
    )
    on = "{at: +0m, happens: power.on}"
    comes = offers(f"[{on}]", "+1h")
    parts = {"call.out": "when.no.any_of.1.happens", "sms.out": "when.no.any_of.2.count"}
    for kind, part in parts.items():
        down = f"[{on}, {{at: +5m, feeds_down: {kind}, for: 1m}}]"
        found = look([comes, nothing(down, "feed")], when)
        assert [name for name in parts.values() if found[name].decided] == [part]
        by = found[part].by
        assert by is not None
        assert by.because == "feed"
    assert not any(look([comes], when)[part].decided for part in parts.values())


def test_a_line_is_decided_by_the_case_that_fails_without_it() -> None:
    found = look([offers(ONE), f"given: {{arpu: 20 yuan}}, {nothing(ONE, 'who.arpu')}"])
    line = found["who.arpu"]
    assert line.by is not None
    assert line.by.name == "number 1"
    assert line.could_be == ("at least 39 yuan", "at least 41 yuan")


def test_a_case_that_fails_decides_nothing() -> None:
    wrong = f"given: {{arpu: 20 yuan}}, {nothing(ONE, 'when')}"
    assert look([offers(ONE), wrong])["who.arpu"].by is None


def test_cases_at_the_mark_and_below_tell_its_neighbours_apart() -> None:
    below = f"given: {{arpu: 39 yuan}}, {nothing(ONE, 'who.arpu')}"
    at = f"given: {{arpu: 40 yuan}}, {offers(ONE)}"
    assert look([offers(ONE), below])["who.arpu"].could_be == ("at least 41 yuan",)
    assert look([offers(ONE), below, at])["who.arpu"].could_be == ()


def test_a_test_for_nothing_that_would_pass_anyway_decides_nothing() -> None:
    never = nothing("[]", "when")
    found = look([never, never.replace("[]", "[{at: +0m, happens: sms.out}]")])
    assert [name for name, line in found.items() if line.decided] == []


COUNT = "{count: call.out, where: {number: [10010, 10000], duration: at least 30s}, at_least: 3, within: 12h}"
SEQUENCE = "{sequence: [{happens: call.out}, {happens: sms.out}], within: 2h}"
BOTH = "{all_of: [{happens: call.out}, {happens: sms.out}], within: 2h}"
EITHER = "{any_of: [{happens: call.out}, {enters: mall-wulin}]}"
ABSENCE = "{after: {happens: power.on}, no: {happens: data.session, unless: {bytes: under 1 MB}}, for: 1h}"
TOTAL = "{total: data.session.bytes, at_least: 10 MB, within: 1h}"
LEAVE = "{leaves: mall-wulin}"
STAY = "{stays_in: mall-wulin, for: 30m}"
CONFIRM = "{enters: mall-wulin, confirm: 5m}"
CALL_SMS = "[{at: +0m, happens: call.out}, {at: +1h, happens: sms.out}]"
ON = "{at: +0m, happens: power.on}"
IN_OUT = "[{at: +0m, enters: mall-wulin}, {at: +9m, leaves: mall-wulin}]"
IN = "[{at: +0m, enters: mall-wulin}]"


@pytest.mark.parametrize(
    ("when", "case", "decides"),
    [
        (COUNT, offers(CALLS, "+2h"), "when.count when.at_least"),
        (COUNT, nothing(CALLS.replace("10010", "95555"), "when"), "when.where.number"),
        (COUNT, nothing(CALLS.replace("30s", "29s"), "when"), "when.where.duration"),
        (COUNT, nothing(CALLS.replace("1h", "6h"), "when"), "when.at_least when.within"),
        (COUNT, nothing(CALLS.replace("times: 3", "times: 2"), "when"), "when.at_least"),
        (TOTAL, offers("[{at: +0m, happens: data.session, bytes: 10 MB}]"), "when.total"),
        (TOTAL, nothing("[{at: +0m, happens: data.session, bytes: 9 MB}]", "when"), "when.at_least"),
        (
            TOTAL,
            nothing("[{at: +0m, happens: data.session, bytes: 5 MB, times: 2, every: 1h}]", "when"),
            "when.at_least when.within",
        ),
        (SEQUENCE, offers(CALL_SMS, "+1h"), "when.sequence.2.happens"),
        (SEQUENCE, nothing("[{at: +0m, happens: sms.out}]", "when"), "when.sequence.1.happens"),
        (SEQUENCE, nothing("[{at: +0m, happens: call.out}]", "when"), "when.sequence.2.happens"),
        (
            SEQUENCE,
            nothing(CALL_SMS.replace("1h", "2h"), "when"),
            "when.sequence.1.happens when.sequence.2.happens when.within",
        ),
        (BOTH, nothing("[{at: +0m, happens: sms.out}]", "when"), "when.all_of.1.happens"),
        (
            BOTH,
            nothing(CALL_SMS.replace("1h", "2h"), "when"),
            "when.all_of.1.happens when.all_of.2.happens when.within",
        ),
        (EITHER, offers(ONE), "when.any_of.1.happens"),
        (EITHER, offers(IN), "when.any_of.2.enters"),
        (
            EITHER,
            f"given: {{consent.location: no}}, {nothing(ONE, 'consent.location')}",
            "when.any_of.1.happens when.any_of.2.enters consent.location",
        ),
        (ABSENCE, offers(f"[{ON}]", "+1h"), "when.after.happens when.for"),
        (
            ABSENCE,
            nothing(f"[{ON}, {{at: +50m, happens: data.session, bytes: 2 MB}}]", "when"),
            "when.no.happens when.for",
        ),
        (
            ABSENCE,
            offers(f"[{ON}, {{at: +50m, happens: data.session, bytes: 2 KB}}]", "+1h"),
            "when.after.happens when.no.unless.bytes when.for",
        ),
        (STAY, offers(IN, "+30m"), "when.stays_in when.for"),
        (STAY, nothing(IN_OUT, "when"), "when.for"),
        (CONFIRM, offers(IN, "+5m"), "when.enters when.confirm"),
        (CONFIRM, nothing(IN_OUT.replace("9m", "4m"), "when"), "when.confirm"),
        (LEAVE, offers(IN_OUT, "+9m"), "when.leaves"),
    ],
)  # fmt: skip
def test_lines_of_a_pattern(when: str, case: str, decides: str) -> None:
    found = look([case], when)
    decided = [name for name, line in found.items() if line.decided and name.startswith(("when", "consent"))]
    assert decided == decides.split()


MESSAGES = """\
- {channel: manual, if: {arpu: at least 90 yuan}, task: Ring}
- {channel: sms, text: 【移动】一。退订回R。}
"""


@pytest.mark.parametrize(
    ("case", "decides"),
    [
        (offers(ONE), "offer.send.2.text"),
        (offers(ONE, more=", channel: sms"), "offer.send.1.if.arpu offer.send.2.text"),
        (f"given: {{arpu: 95 yuan}}, {offers(ONE, more=', channel: manual')}", "offer.send.1.task"),
    ],
)
def test_messages_and_their_conditions(case: str, decides: str) -> None:
    found = look([case], send=MESSAGES)
    assert [name for name, line in found.items() if line.decided and "send" in name] == decides.split()


def test_a_text_that_no_case_compares_could_be_another() -> None:
    assert look([offers(ONE)])["offer.send.1.text"].could_be == ("another text",)
    exact = offers(ONE, more=', text: "【移动】一。退订回R。"')
    assert look([exact])["offer.send.1.text"].could_be == ()


TWICE = "[{at: +0m, happens: call.out, times: 2, every: 2d}]"


def test_the_cap_of_a_rule() -> None:
    then = f"{offers(TWICE)}, then: limits.at_most"
    found = look([offers(ONE)], at_most="1 in 7d")
    assert not found["limits.at_most"].decided
    assert look([then], at_most="1 in 7d")["limits.at_most"].could_be == ("1 in 6d", "1 in 8d")


def test_the_group_is_a_line_only_where_no_earlier_gate_always_refuses_first() -> None:
    group = ", only_one_of: retention"
    covered = look([offers(ONE)], at_most="1 in 400d", limits=group)
    assert "limits.only_one_of" not in covered
    then = f"{offers(TWICE)}, then: only_one_of"
    found = look([then], at_most="9 in 400d", limits=group)
    assert found["limits.only_one_of"].decided


def test_quiet_time_of_the_rule_and_what_waits_for_its_end() -> None:
    evening = f"starts: 2026-09-05 19:30, {offers(ONE, '+30m')}"
    limits = ', quiet: ["19:00 to 20:00", "22:00 to 23:00"]'
    found = look([evening], limits=limits)
    assert found["limits.quiet.1"].could_be == ("18:59 to 20:00", "19:01 to 20:00")
    assert "limits.quiet.2" not in found, "the house is quiet then anyway"


def test_how_long_a_message_may_wait() -> None:
    late = f"starts: 2026-09-05 22:00, {nothing(ONE, 'send_within')}"
    morning = f"starts: 2026-09-05 22:00, {offers(ONE, '+11h')}"
    assert look([late])["limits.send_within"].could_be == ("59m", "2h")
    assert not look([offers(ONE)])["limits.send_within"].decided
    long = look([morning], within="24h")["limits.send_within"]
    assert (long.decided, long.line.without.could_be) == (True, "0m")
    assert not look([offers(ONE)], within="24h")["limits.send_within"].decided


def test_what_people_do_by_hand_waits_for_nothing() -> None:
    found = look([offers(ONE)], send="- {channel: manual, task: Ring}", limits=', quiet: "19:00 to 20:00"')
    assert [name for name in found if name.startswith("limits")] == ["limits.at_most"]


def test_the_dates() -> None:
    over = f"starts: 2027-01-01 10:00, {nothing(ONE, 'valid')}"
    assert look([over])["valid"].decided
    assert not look([offers(ONE)])["valid"].decided


SCHEDULE = "{days: [mon to fri], hours: [11:00 to 13:00, 17:00 to 19:00]}"
FRIDAY, SATURDAY = "starts: 2026-09-04", "starts: 2026-09-05"


def test_the_days_and_hours_of_a_schedule() -> None:
    friday = f"{FRIDAY} 12:00, {offers(ONE)}"
    saturday = f"{SATURDAY} 12:00, {nothing(ONE, 'when')}"
    found = look([friday, saturday], schedule=SCHEDULE)
    assert found["schedule.days"].could_be == (
        "[tue, wed, thu, fri]",  # nobody comes on a Monday
        "[mon, tue, wed, thu, fri, sun]",  # or on a Sunday
    )
    assert found["schedule.hours.1"].decided
    assert not found["schedule.hours.2"].decided
    no, yes = nothing(ONE, "when"), offers(ONE)
    clocks = (("16:59", no), ("17:00", yes), ("18:59", yes), ("19:00", no))
    edges = [f"{FRIDAY} {clock}, {case}" for clock, case in clocks]
    assert look(edges, schedule=SCHEDULE)["schedule.hours.2"].could_be == ()


def test_percent_of_nothing_is_all() -> None:
    assert percent([]) == 100
