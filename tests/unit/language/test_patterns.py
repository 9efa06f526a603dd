"""Every verb of a pattern, and the windows along a nesting."""

from __future__ import annotations

import pytest

from engine.language.model import (
    HOUR,
    MINUTE,
    After,
    AllOf,
    AnyOf,
    Count,
    Enters,
    Happens,
    Leaves,
    Pattern,
    Sequence,
    StaysIn,
    Total,
)
from engine.language.model import (
    Test as Line,
)
from tests.unit.language.texts import codes, load, pattern, rule_text

CALL = Happens("call.out")
HOTLINE = Line("number", "phone", "is", ("10086",), "hotline")
LTE = Line("rat", "text", "is", ("LTE",), "LTE")


@pytest.mark.parametrize(
    ("written", "compiled"),
    [
        ("{happens: call.out}", CALL),
        (
            "{happens: call.out, where: {number: hotline}, unless: {rat: LTE}}",
            Happens("call.out", (HOTLINE,), (LTE,)),
        ),
        ("{enters: north}", Enters("north", ("north",))),
        ("{enters: both}", Enters("both", ("south", "north"))),
        ("{leaves: both}", Leaves("both", ("south", "north"))),
        ("{stays_in: south, for: 30m}", StaysIn("south", ("south",), 30 * MINUTE)),
        (
            "{count: call.out, where: {number: hotline}, at_least: 3, within: 48h}",
            Count("call.out", (HOTLINE,), 3, 48 * HOUR),
        ),
        (
            "{total: data.session.bytes, at_least: 300 MB, within: 2h}",
            Total("data.session", "bytes", "bytes", (), 314_572_800, 2 * HOUR),
        ),
        (
            "{total: call.out.duration, where: {number: hotline}, at_least: 30m, within: 2h}",
            Total("call.out", "duration", "duration", (HOTLINE,), 1_800, 2 * HOUR),
        ),
        (
            "{total: recharge.amount, at_least: 50 fen, within: 2h}",
            Total("recharge", "amount", "money", (), 0.5, 2 * HOUR),
        ),
        (
            "{sequence: [{happens: call.out}, {enters: north}], within: 48h}",
            Sequence((CALL, Enters("north", ("north",))), 48 * HOUR),
        ),
        (
            "{after: {enters: north}, no: {happens: call.out}, for: 2h}",
            After(Enters("north", ("north",)), CALL, 2 * HOUR),
        ),
        ("{any_of: [{happens: call.out}]}", AnyOf((CALL,))),
        (
            "{all_of: [{happens: call.out}, {leaves: north}], within: 1d}",
            AllOf((CALL, Leaves("north", ("north",))), 24 * HOUR),
        ),
    ],
)
def test_every_verb(written: str, compiled: Pattern) -> None:
    assert pattern(written) == compiled


def test_windows_may_add_up_to_48_hours_along_a_path() -> None:
    inner = "{count: call.out, at_least: 2, within: %s}"
    nested = "{sequence: [{any_of: [%s, %s]}, {happens: call.out}], within: 24h}"
    assert isinstance(pattern(nested % (inner % "24h", inner % "24h")), Sequence)
    assert codes(load(rule_text(nested % (inner % "24h1s", inner % "24h")))) == ["R205"]


def test_both_halves_of_an_absence_are_on_its_path() -> None:
    absence = "{after: {stays_in: north, for: %s}, no: {stays_in: south, for: %s}, for: 24h}"
    assert codes(load(rule_text(absence % ("24h", "24h")))) == []
    assert codes(load(rule_text(absence % ("25h", "24h")))) == ["R205"]
    assert codes(load(rule_text(absence % ("24h", "25h")))) == ["R205"]


def test_a_shorter_memory_of_the_policy_bounds_windows() -> None:
    rule = rule_text("{stays_in: north, for: 13h}")
    assert codes(load(rule, policy="window: 12h")) == ["R205"]
    assert codes(load(rule, policy="window: 13h")) == []


def test_the_goal_pattern_is_checked_too() -> None:
    rule = rule_text().replace("product.bought}", "product.bougth}")
    assert codes(load(rule)) == ["R203"]


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ("{enters: north, confirm: 10h}", "{sequence: [INNER, {leaves: north}], within: LENGTH}"),
        ("{stays_in: north, for: 10h}", "{sequence: [INNER, {leaves: north}], within: LENGTH}"),
        ("{count: call.out, at_least: 2, within: 10h}", "{all_of: [INNER, {leaves: north}], within: LENGTH}"),
        ("{total: recharge.amount, at_least: 5 yuan, within: 10h}",
         "{all_of: [{leaves: north}, INNER], within: LENGTH}"),
        ("{all_of: [{enters: north}, {happens: call.out}], within: 10h}",
         "{sequence: [INNER, {leaves: north}], within: LENGTH}"),
        ("{sequence: [{enters: north}, {happens: call.out}], within: 10h}",
         "{after: INNER, no: {leaves: north}, for: LENGTH}"),
        ("{after: {happens: call.out}, no: {enters: north}, for: 10h}",
         "{after: {leaves: north}, no: INNER, for: LENGTH}"),
        ("{any_of: [{happens: sms.out}, {enters: north, confirm: 10h}]}",
         "{all_of: [INNER, {leaves: north}], within: LENGTH}"),
    ],
)  # fmt: skip
def test_every_window_counts_in_the_sum_along_a_nesting(inner: str, outer: str) -> None:
    def of(length: str) -> list[str]:
        return codes(load(rule_text(outer.replace("INNER", inner).replace("LENGTH", length))))

    assert of("38h") == []
    assert of("38h1s") == ["R205"]


def test_windows_beside_each_other_are_not_summed() -> None:
    part = "{total: recharge.amount, at_least: 5 yuan, within: 20h}"
    stay = "{enters: north, confirm: 20h}"
    assert codes(load(rule_text(f"{{all_of: [{part}, {stay}, {{leaves: north}}], within: 28h}}"))) == []
