"""Rule test files as typed values."""

from __future__ import annotations

import pytest

from engine.language.loader import load_texts
from engine.language.model import HOUR, MINUTE
from engine.language.testing import Case, Expected, Step
from tests.unit.language.texts import codes, files, rule_text

START = 1_788_573_600_000_000
"""2026-09-05 10:00 in Shanghai, µs UTC."""

HEAD = "tests: r\nstarts: 2026-09-05 10:00\n"
IN = "events: [{at: +0m, enters: north}]"
OFFER = "expect: [{at: +0m, offer: pack}]"


def case(body: str, head: str = HEAD) -> Case:
    text = f"{head}cases:\n  - {{case: one, {body}}}\n"
    loaded = load_texts({**files(rule_text(who="{arpu: over 5 yuan}")), "r.test.yaml": text})
    assert not loaded.problems, "\n".join(map(str, loaded.problems))
    (only,) = loaded.tests[0].cases
    return only


def refused(body: str, head: str = HEAD) -> list[str]:
    text = f"{head}cases:\n  - {{case: one, {body}}}\n"
    loaded = load_texts({**files(rule_text(who="{arpu: over 5 yuan}")), "r.test.yaml": text})
    assert loaded.ruleset is not None
    return codes(loaded)


def test_a_case() -> None:
    found = case(f"{IN}, {OFFER}, then: limits.at_most")
    assert found.name == "one"
    assert found.starts == START
    assert found.events == (Step(0, "enters", "north", line=4),)
    assert found.expect == (Expected(0, "pack", line=4),)
    assert (found.because, found.then, found.arm, found.line) == (None, "limits.at_most", "treatment", 4)


def test_given_values_are_those_of_profiles_and_the_case_overrides_its_file() -> None:
    shared = "arpu: 58 yuan, left: 20%, month: 1 MB, online: 2m, mms: no, tags: a, city: 12, tier: vip"
    own = "tags: [], tier: unknown, consent.location: no, consent.profiling: unknown, timezone: UTC"
    found = case(f"given: {{{own}}}, {IN}, {OFFER}", f"{HEAD}given: {{{shared}}}\n")
    assert found.given == {
        "arpu": 58, "left": 20, "month": 1_048_576, "online": 120, "mms": False, "tags": [], "city": "12",
        "tier": None, "timezone": "UTC",
    }  # fmt: skip
    assert found.consent == {"marketing": True, "profiling": None, "location": False}


def test_steps() -> None:
    found = case(
        "starts: 2026-09-05 20:00, arm: control, events: ["
        "{at: +0m, sees: both, times: 3, every: 10m}, {at: +1h, leaves: north},"
        "{at: +1h, restart: engine},"
        "{at: +2h, happens: call.out, number: +86 10010, duration: 95s, place: south,"
        "times: 2, every: 1m},"
        "{at: +3h, happens: data.session, bytes: 3 MB, phase: start, rat: LTE}],"
        "expect: nothing, because: when"
    )
    sees, leaves, restart, call, session = found.events
    assert (sees.verb, sees.place, sees.times, sees.every) == ("sees", "south", 3, 10 * MINUTE)
    assert (leaves.at, leaves.place) == (HOUR, "north")
    assert (restart.verb, restart.at) == ("restart", HOUR)
    assert (call.event, call.place, call.times, call.every) == ("call.out", "south", 2, MINUTE)
    assert call.fields == {"number": "+86 10010", "duration": 95}
    assert session.fields == {"down": 3 << 20, "phase": "start", "rat": "LTE"}
    assert (found.starts, found.arm, found.expect, found.because) == (
        START + 10 * HOUR,
        "control",
        (),
        "when",
    )


def test_expected_channel_and_text() -> None:
    found = case(f"{IN}, expect: [{{at: +220m, offer: pack, channel: manual, text: call}}]")
    assert found.expect == (Expected(220 * MINUTE, "pack", "manual", "call", 4),)


@pytest.mark.parametrize(
    "reason",
    ["when", "who.arpu", "valid", "consent.location", "holdout", "policy.contact", "send_within"],
)
def test_reasons(reason: str) -> None:
    assert case(f"{IN}, expect: nothing, because: {reason}").because == reason


SILENT = "{after: {enters: north}, no: %s, for: 1h}"


@pytest.mark.parametrize(
    ("when", "may"),
    [
        (SILENT % "{happens: call.out}", True),
        (
            SILENT % "{any_of: [{enters: south}, {total: recharge.amount, at_least: 1 yuan, within: 1h}]}",
            True,
        ),
        (SILENT % "{enters: south}", False),
        ("{any_of: [%s, {leaves: north}]}" % (SILENT % "{happens: call.out}"), False),
        ("{happens: call.out}", False),
    ],
)
def test_feed_is_a_reason_where_a_feed_is_waited_for(when: str, may: bool) -> None:
    """semantics 3: of an `after` that is the `when`; of its `happens`, `count`, `total` at any depth."""
    body = f"{IN}, expect: nothing, because: feed"
    text = f"{HEAD}cases:\n  - {{case: one, {body}}}\n"
    loaded = load_texts({**files(rule_text(when)), "r.test.yaml": text})
    assert [(p.code, p.message) for p in loaded.problems] == (
        [] if may else [("R601", "`feed` stops nothing in this rule")]
    )


def test_a_next_match_follows_an_offer_or_one_that_was_held_out() -> None:
    assert case(f"arm: control, {IN}, expect: nothing, because: holdout, then: limits.at_most").then
    assert refused(f"{IN}, expect: nothing, because: when, then: limits.at_most") == ["R601"]
    assert refused(f"{IN}, expect: nothing, because: who.arpu, then: when") == ["R601"]
    assert refused(f"{IN}, expect: nothing, then: when") == ["R601"]


def test_feeds_are_down_for_a_time_or_to_the_end() -> None:
    one, two = case(
        "events: [{at: +5m, feeds_down: call.out}, {at: +1h, feeds_down: [sms.in, bill], for: 90m}],"
        "expect: nothing, because: when"
    ).events
    assert (one.verb, one.at, one.feeds, one.lasts) == ("feeds_down", 5 * MINUTE, ("call.out",), 0)
    assert (two.feeds, two.lasts) == (("sms.in", "bill"), 90 * MINUTE)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (f"{IN}, expect: nothing", "R601"),
        (f"{IN}, expect: nothing, because: who.age", "R601"),
        (f"{IN}, expect: nothing, because: limits", "R601"),
        (f"{IN}, {OFFER}, because: when", "R601"),
        (f"{IN}, expect: []", "R108"),
        (f"{IN}, expect: something", "R108"),
        (f"{IN}", "R102"),
        (f"{IN}, expect: [{{at: +0m, offer: pakc}}]", "R301"),
        (f"{IN}, expect: [{{at: +0m, offer: pack, channel: fax}}]", "R105"),
        (f"{IN}, expect: [{{at: 0m, offer: pack}}]", "R107"),
        (f"events: [{{at: +0m, enters: nort}}], {OFFER}", "R204"),
        (f"events: [{{enters: north}}], {OFFER}", "R102"),
        (f"events: [{{at: +0m}}], {OFFER}", "R103"),
        (f"events: [{{at: +0m, entres: north}}], {OFFER}", "R103"),
        (f"events: [{{at: +0m, enters: north, leaves: north}}], {OFFER}", "R104"),
        (f"events: [{{at: +0m, enters: north, times: 2}}], {OFFER}", "R101"),
        (f"events: [{{at: +0m, sees: north, times: 2}}], {OFFER}", "R102"),
        (f"events: [{{at: +0m, sees: north, every: 5m}}], {OFFER}", "R102"),
        (f"events: [{{at: +0m, happens: tick}}], {OFFER}", "R203"),
        (f"events: [{{at: +0m, happens: call.out, duration: 5}}], {OFFER}", "R209"),
        (f"events: [{{at: +0m, happens: call.out, rat: 4G}}], {OFFER}", "R208"),
        (f"events: [{{at: +0m, restart: all}}], {OFFER}", "R106"),
        (f"events: [{{at: +0m, feeds_down: }}], {OFFER}", "R108"),
        (f"events: [{{at: +0m, feeds_down: []}}], {OFFER}", "R108"),
        (f"events: [{{at: +0m, feeds_down: {{call.out: 1h}}}}], {OFFER}", "R108"),
        (f"events: [{{at: +0m, feeds_down: call.uot}}], {OFFER}", "R203"),
        (f"events: [{{at: +0m, feeds_down: [call.out, tick]}}], {OFFER}", "R203"),
        (f"events: [{{at: +0m, feeds_down: call.out, for: 0m}}], {OFFER}", "R107"),
        (f"events: [{{at: +0m, feeds_down: call.out, for: soon}}], {OFFER}", "R107"),
        (f"events: [{{at: +0m, feeds_down: call.out, times: 2}}], {OFFER}", "R101"),
        (f"events: [{{feeds_down: call.out}}], {OFFER}", "R102"),
        (f"events: [{{at: +0m, feeds_down: call.out, enters: north}}], {OFFER}", "R104"),
        (f"events: [{{at: +0m, feed_down: call.out, for: 1h}}], {OFFER}", "R103"),
        (f"events: [{{at: +0m, restart: engine, for: 1h}}], {OFFER}", "R101"),
        (f"events: now, {OFFER}", "R108"),
        (f"given: {{arpu: 5}}, {IN}, {OFFER}", "R209"),
        (f"given: {{apru: 5 yuan}}, {IN}, {OFFER}", "R206"),
        (f"given: {{consent.sale: no}}, {IN}, {OFFER}", "R206"),
        (f"starts: today, {IN}, {OFFER}", "R107"),
        (f"arm: both, {IN}, {OFFER}", "R106"),
    ],
)
def test_what_is_refused(body: str, code: str) -> None:
    assert refused(body) == [code]


def test_the_file_and_its_rule() -> None:
    assert refused(f"{IN}, {OFFER}", HEAD.replace("tests: r", "tests: s")) == ["R602"]
    assert refused(f"{IN}, {OFFER}", "tests: r\n") == ["R102"]


def test_a_broken_rule_is_not_reported_in_its_test_again() -> None:
    text = f"{HEAD}cases:\n  - {{case: one, {IN}, expect: nothing, because: who.age}}\n"
    loaded = load_texts({**files(rule_text("{enters: nort}")), "r.test.yaml": text})
    assert codes(loaded) == ["R204"]
