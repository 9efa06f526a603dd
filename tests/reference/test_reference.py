"""The reference model on patterns and instants: hand-computed cases, each named by its sentence."""

from __future__ import annotations

import pytest

from .shorthand import play, told

SMS = "{happens: sms.out}"
CALL = "{happens: call.out}"
SILENCE = "{after: {happens: sms.out}, no: {happens: call.out}, for: 10m}"
WAIT = "{after: {happens: sms.out}, no: {happens: call.out}, for: %s}"
TWO = "{count: sms.out, at_least: 2, within: 10m}"
PAIR = "{sequence: [{happens: sms.out}, {happens: call.out}], within: 10m}"
BOTH = "{all_of: [{happens: sms.out}, {happens: call.out}], within: 10m}"
DWELL = "{stays_in: p1, for: 30m}"
LONG_DWELL = "{stays_in: p1, for: 2h}"
VOLUME = "{total: data.session.bytes, at_least: 1 KB, within: 1h}"
GSM = "{presence: {lapse: {GSM: 2h}}}"
SHORT_LAPSE = "{presence: {lapse: 2m}}"
AT_P1 = "{happens: %s, where: {place: p1}}"

CASES = [
    # sentence, pattern, records, expected
    ("1.3 a control record moves no clock", SMS, "10m profile.update; 0m sms.out", "0m offer"),
    ("1.3 a tick moves the clock, before the first record too", SMS, "10m tick; 4m sms.out", ""),
    ("1.3 a control record fires no timer", SILENCE, "0m sms.out; 1h profile.update; 9m call.out", ""),
    ("1.4 a start is no instant", CALL, "0m call.out phase=start; 5m call.out phase=stop", "5m offer"),
    ("1.4 a start cancels", SILENCE, "0m sms.out; 5m call.out phase=start; 20m sms.in", ""),
    ("1.4 an update is a sighting", "{enters: p1}", "0m data.session phase=update cell=c1", "0m offer"),
    (
        "7(i) a start cancels no nested `no:`",
        "{after: {happens: sms.out}, no: {any_of: [{happens: call.out}]}, for: 10m}",
        "0m sms.out; 5m call.out phase=start; 20m sms.in",
        "10m offer",
    ),
    ("1.5 late by patience: fires, stamped at the clock", SMS, "10m sms.in; 5m sms.out", "10m offer"),
    ("1.5 late beyond patience: fires nothing", SMS, "10m sms.in; 5m-1us sms.out", ""),
    (
        "1.5 late by 1 h: an earlier step",
        "{sequence: [{happens: sms.out}, {happens: call.out}], within: 3h}",
        "2h sms.in; 1h sms.out; 150m call.out",
        "150m offer",
    ),
    (
        "1.5 late by more than 1 h: dropped",
        "{sequence: [{happens: sms.out}, {happens: call.out}], within: 3h}",
        "2h sms.in; 1h-1us sms.out; 150m call.out",
        "",
    ),
    ("1.5 business: both limits are 48 h", "{happens: recharge}", "48h sms.in; 0m recharge", "48h offer"),
    ("1.5 business later than 48 h", "{happens: recharge}", "48h+1us sms.in; 0m recharge", ""),
    ("1.5 a timer armed in the past fires at the clock", WAIT % "2m", "10m sms.in; 6m sms.out", "10m offer"),
    ("1.5 beyond patience: no timer in the past", WAIT % "2m", "10m sms.in; 4m sms.out", ""),
    ("1.5 beyond patience: timers due later", WAIT % "10m", "10m sms.in; 4m sms.out; 1h sms.in", "14m offer"),
    ("7(a) beyond patience, due = clock: no instant", WAIT % "6m", "10m sms.in; 4m sms.out; 1h sms.in", ""),
    ("7(b) due = clock is an ordinary timer", WAIT % "4m", "10m sms.in; 6m sms.out; 10m call.out", ""),
    ("7(b) … and fires", WAIT % "4m", "10m sms.in; 6m sms.out; 10m tick; 11m sms.in", "10m offer"),
    ("1.6 a copy is dropped", TWO, "0m sms.out id=a; 1m sms.out id=a", ""),
    (
        "1.6 known for 1 h of the clock",
        "{count: sms.out, at_least: 2, within: 2h}",
        "0m sms.out id=a; 60m sms.in; 60m sms.out id=a",
        "",
    ),
    (
        "1.6 and no longer",
        "{count: sms.out, at_least: 2, within: 2h}",
        "0m sms.out id=a; 60m+1us sms.in; 60m+1us sms.out id=a",
        "60m+1us offer",
    ),
    ("1.7 the window is open on the left", TWO, "0m sms.out; 10m sms.out", ""),
    ("1.7 … and only there", TWO, "0m sms.out; 10m-1us sms.out", "10m-1us offer"),
    (
        "1.8 down within the wait",
        SILENCE,
        "0m sms.out; 5m tick down=call.out; 6m tick; 1h sms.in",
        "10m refused:feed",
    ),
    ("1.8 down up to the next tick", SILENCE, "0m tick down=call.out; 1m tick; 1m sms.out", ""),
    ("1.8 … then the wait", SILENCE, "0m tick down=call.out; 1m tick; 1m sms.out; 1h sms.in", "11m offer"),
    ("1.8 down at due", SILENCE, "0m sms.out; 10m tick down=call.out; 1h sms.in", "10m refused:feed"),
    ("1.8 down after due", SILENCE, "0m sms.out; 10m+1us tick down=call.out", "10m offer"),
    (
        "1.8 derived ticks carry it on",
        SILENCE,
        "0m tick down=call.out; 1m sms.out; 1h sms.in",
        "11m refused:feed",
    ),
    (
        "3 feed is asked of an `after` that is the `when` only",
        f"{{any_of: [{SILENCE}]}}",
        "0m sms.out; 5m tick down=call.out; 1h sms.in",
        "10m offer",
    ),
    ("2.1 power.off is no sighting", "{enters: p1}", "0m power.off cell=c1", ""),
    (
        "2.1 seen at t_start, late by clock − it",
        "{enters: p1}",
        "10m data.session cell=c1 start=5m",
        "10m offer",
    ),
    ("2.1 … beyond patience", "{enters: p1}", "10m data.session cell=c1 start=5m-1us", ""),
    ("2.1 earlier than the last: ignored", "{enters: p1}", "10m see p2; 11m call.in cell=c1 start=9m", ""),
    ("2.2 `in` until the lapse", "{leaves: p1}", "0m see p1; 58m see out", "58m offer"),
    ("2.2 unknown later", "{leaves: p1}", "0m see p1; 58m+1us see out", ""),
    ("2.2 unknown after power.off", "{leaves: p1}", "0m see p1; 5m power.off; 9m see out", ""),
    ("7(e) same time: log order", "{leaves: p1}", "0m power.off; 0m see p1; 9m see out", "9m offer"),
    ("7(e) same time: log order, off last", "{leaves: p1}", "0m see p1; 0m power.off; 9m see out", ""),
    ("7(e) an off later than x", "{leaves: p1}", "0m see p1; 9m power.off; 8m see out", "9m offer"),
    ("2.3 goes on over the bridge", LONG_DWELL, "0m see p1; 4h see p1", "4h offer"),
    ("2.3 but no further", LONG_DWELL, "0m see p1; 4h+1us see p1", ""),
    ("2.3 a sighting outside closes", DWELL, "0m see p1; 20m see out; 25m see p1; 1h sms.in", "55m offer"),
    ("2.4 no_trigger does not fire", SMS, "0m sms.out silent=1", ""),
    ("2.4 no_trigger does not sight", "{enters: p1}", "0m loc.update cell=c1 silent=1", ""),
    ("2.4 no_trigger is a step", PAIR, "0m sms.out silent=1; 1m call.out", "1m offer"),
    ("2.4 no_trigger arms timers", SILENCE, "0m sms.out silent=1; 1h sms.in", "10m offer"),
    ("2.4 no_trigger cancels", SILENCE, "0m sms.out; 5m call.out silent=1; 1h sms.in", ""),
    ("3 at most once per stamp", SMS, "0m sms.out; 0m sms.out; 1us sms.out", "0m offer; 1us offer"),
    ("3 enters: first sighting", "{enters: p1}", "0m see p1; 5m see p1", "0m offer"),
    ("3 enters: a new visit, last sighting inside", "{enters: p1}", "0m see p1; 5h see p1", "0m offer"),
    (
        "7(f) enters: exactly 48 h before is out",
        "{enters: p1}",
        "0m see p1; 48h see p1",
        "0m offer; 48h offer",
    ),
    ("7(f) enters: within 48 h", "{enters: p1}", "0m see p1; 48h-1us see p1", "0m offer"),
    ("3 group: the second member is entered", "{enters: g}", "0m see p1; 5m see p2", "0m offer; 5m offer"),
    ("3 group: left when outside all", "{leaves: g}", "0m see p1; 5m see p2; 9m see out", "9m offer"),
    ("3 stays_in: once per visit", DWELL, "0m see p1; 40m see p1; 80m see p1", "30m offer"),
    ("3 stays_in: at due all records of due count", DWELL, "0m see p1; 30m see out; 1h sms.in", ""),
    ("3 stays_in: unknown at due, made up", LONG_DWELL, "0m see p1; 3h see p1; 210m see p1", "3h offer"),
    (
        "7(g) strictly later than due",
        "{stays_in: p1, for: 1h}",
        "0m see p1; 70m sms.in; 60m see p1; 80m see p1",
        "80m offer",
    ),
    (
        "7(g) its stamp is the clock",
        "{stays_in: p1, for: 1h}",
        "0m see p1; 70m sms.in; 66m see p1",
        "70m offer",
    ),
    (
        "7(b) a late dwell, `in` at due, is lost",
        "{stays_in: p1, for: 5m}",
        "30m sms.in; 20m see p1; 50m see p1",
        "",
    ),
    ("7(b) within patience it fires", "{stays_in: p1, for: 2m}", "30m sms.in; 26m see p1", "30m offer"),
    ("3 count: crosses its mark", TWO, "0m sms.out; 1m sms.out; 2m sms.out", "1m offer"),
    (
        "3 count: crosses again",
        TWO,
        "0m sms.out; 1m sms.out; 12m sms.out; 13m sms.out",
        "1m offer; 13m offer",
    ),
    ("1.5 count: a late record enters the window", TWO, "5m sms.out; 3m sms.out", "5m offer"),
    ("7(a) beyond patience it still crosses", TWO, "10m sms.out; 4m sms.out; 11m sms.out", ""),
    ("7(k) bytes: up, down or both", VOLUME, "0m data.session up=1000; 1m data.session down=24", "1m offer"),
    (
        "3 total: a record without F is no instant",
        VOLUME,
        "0m data.session; 1m data.session up=1024",
        "1m offer",
    ),
    ("3 sequence: the first in the window", PAIR, "0m sms.out; 10m call.out", ""),
    ("3 sequence: just within", PAIR, "0m sms.out; 10m-1us call.out", "10m-1us offer"),
    ("1.7 later: at equal time by the log", PAIR, "0m sms.out; 0m call.out", "0m offer"),
    ("1.7 … and not the other way round", PAIR, "0m call.out; 0m sms.out", ""),
    ("3 sequence: later than its last instant", PAIR, "0m sms.out; 1m call.out; 2m call.out", "1m offer"),
    ("1.5 sequence: a late first step completes nothing", PAIR, "9m call.out; 8m sms.out", ""),
    (
        "7(j) a record serves one step",
        "{sequence: [{happens: sms.out}, {happens: sms.out}], within: 10m}",
        "0m sms.out; 1m sms.out; 2m sms.out; 3m sms.out",
        "1m offer; 3m offer",
    ),
    (
        "7(c) completed late: last instant is (clock, log order)",
        PAIR,
        "5m sms.out; 10m sms.in; 8m call.out; 9m sms.out; 11m call.out",
        "10m offer",
    ),
    ("3 after: B at a + D cancels", SILENCE, "0m sms.out; 10m call.out", ""),
    ("3 after: B later than a + D does not", SILENCE, "0m sms.out; 10m+1us call.out", "10m offer"),
    ("3 after: B before a in the log", SILENCE, "0m call.out; 0m sms.out; 1h sms.in", "10m offer"),
    ("3 after: A again starts anew", SILENCE, "0m sms.out; 10m sms.out; 1h sms.in", "20m offer"),
    (
        "3 after: a record that is both does not cancel itself",
        "{after: {happens: sms.out}, no: {happens: sms.out}, for: 10m}",
        "0m sms.out; 1h sms.in",
        "10m offer",
    ),
    (
        "3 after: timers in one group",
        "{after: {happens: sms.out}, no: {stays_in: p1, for: 10m}, for: 10m}",
        "0m sms.out cell=c1; 1h sms.in",
        "",
    ),
    ("3 all_of: in any order", BOTH, "0m call.out; 5m sms.out", "5m offer"),
    ("3 all_of: in (now − W, now]", BOTH, "0m call.out; 10m sms.out", ""),
    (
        "3 all_of: all later than the last",
        BOTH,
        "0m call.out; 5m sms.out; 6m sms.out; 7m call.out",
        "5m offer; 7m offer",
    ),
    (
        "3 all_of: one record serves several",
        f"{{all_of: [{SMS}, {{enters: p1}}], within: 1h}}",
        "0m sms.out cell=c1",
        "0m offer",
    ),
    (
        "7(c) all_of: the completing part need not lie in the window",
        "{all_of: [{happens: recharge}, {happens: sms.out}], within: 10m}",
        "2h sms.out; 0m recharge",
        "2h offer",
    ),
    ("3 where place: the state without a cell", AT_P1 % "sms.out", "0m see p1; 58m sms.out", "58m offer"),
    ("3 where place: unknown", AT_P1 % "sms.out", "0m see p1; 58m+1us sms.out", ""),
    ("7(h) the record's own effect", AT_P1 % "power.off", "0m see p1; 5m power.off", ""),
    ("7(h) power.off: its own cell", AT_P1 % "power.off", "0m see p2; 5m power.off cell=c1", "5m offer"),
    ("7(h) business: its own cell", AT_P1 % "recharge", "0m see p2; 5m recharge cell=c1", "5m offer"),
    ("4.7 unless: unknown rejects", "{happens: call.out, unless: {number: 10086}}", "0m call.out", ""),
    ("4.7 not: unknown fails", "{happens: call.out, where: {number: not 10086}}", "0m call.out", ""),
    (
        "7(t) numbers compare whole",
        "{happens: call.out, where: {number: hotline}}",
        "0m call.out number=0086-100.86",
        "0m offer",
    ),
    (
        "4.11 A to B: both ends",
        "{happens: call.out, where: {duration: 10s to 1m}}",
        "0m call.out duration=60; 1m call.out duration=61",
        "0m offer",
    ),
]


@pytest.mark.parametrize(("when", "text", "expected"), [pytest.param(*one[1:], id=one[0]) for one in CASES])
def test_instants(when: str, text: str, expected: str) -> None:
    assert play(text, when) == told(expected)


def test_lapse_by_the_rat_of_the_last_sighting() -> None:
    """2.2 and 7, shapes: 58 m for a RAT that is not listed."""
    for rat, expected in (("GSM", "2h offer"), ("LTE", "")):
        assert play(f"0m loc.update cell=c1 rat={rat}; 2h see out", "{leaves: p1}", GSM) == told(expected)


def test_late_dwell_unknown_at_due_is_made_up() -> None:
    """7(b): one whose state at due was not `in` is made up by a later sighting."""
    records = "30m sms.in; 20m see p1; 50m see p1"
    assert play(records, "{stays_in: p1, for: 5m}", SHORT_LAPSE) == told("50m offer")


@pytest.mark.parametrize(("mark", "expected"), [(2000, "2000s offer"), (2001, "")])
def test_hot_subscribers_fire_nothing(mark: int, expected: str) -> None:
    """3: more than 2,000 records of a kind in 48 h."""
    records = "; ".join(f"{n + 1}s sms.in" for n in range(2001))
    when = f"{{count: sms.in, at_least: {mark}, within: 48h}}"
    assert play(records, when) == told(expected)


def test_a_tick_of_others_fires_a_silent_subscribers_timer() -> None:
    """1.8: a tick is for every subscriber; 3: at the first tick > due, stamped with the due time."""
    records = "0m sms.out; 20m sms.in who=460000000000002; 5m call.out"
    assert play(records, SILENCE) == told("10m offer")  # the call comes too late to cancel


def test_disorder_holds_the_watermark_back() -> None:
    """1.8: the watermark is the greatest `t` so far − the disorder."""
    records = "0m sms.out; 20m sms.in who=460000000000002; 5m call.out"
    assert play(records, SILENCE, disorder=15 * 60 * 10**6) == told("")
