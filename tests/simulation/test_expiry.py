"""States that end: a subscriber who was let go decides like one who was kept, silent for however long."""

from __future__ import annotations

import random
from typing import Any

import orjson

from engine.event import Event
from engine.event_kinds import KINDS
from engine.expiry import FAR, expires
from engine.identity import Identity
from engine.intake import Intake
from engine.snapshot import HOURS_48, Subscriber
from tests.simulation.course import Course, case_of, seeds
from tests.simulation.runs import Run
from tests.unit.pipeline.stage import CAFE, KEY, Stage, rule, when

HOUR = 3_600_000_000
BASE = 9_000_000


def again(rng: random.Random, key: bytes) -> Any:
    """Return what repeats a course twice, each time after a silence, without what makes a profile."""
    gaps = [rng.choice((0, 1, 40 * HOUR, 47 * HOUR, 49 * HOUR, 60 * HOUR, 31 * 24 * HOUR)) for _ in range(2)]

    def repeat(events: list[Event]) -> list[Event]:
        kept = [event for event in events if KINDS[event.kind].group != "control" and event.kind not in SAYS]
        if not kept:
            return []
        length = max(event.t for event in kept) - min(event.t for event in kept)
        found, shift = list(kept), 0
        for number, gap in enumerate(gaps):
            shift += length + gap
            found += [shifted(event, shift, number, key) for event in kept]
        return found

    return repeat


SAYS = frozenset({"product.bought", "complaint", "sms.reply"})
"""Business records that make a profile: whoever has one is kept."""


def shifted(event: Event, by: int, number: int, key: bytes) -> Event:
    fields = dict(event.fields)
    fields["t"] += by
    if "t_start" in fields:
        fields["t_start"] += by
    if fields.get("id"):
        fields["id"] = f"{fields['id']}.{number}"
    [made] = Intake(Identity(key, "86")).read_log(orjson.dumps(fields), "log", f"{event.position}.{number}")
    return made


def test_who_was_let_go_decides_like_who_was_kept() -> None:
    gone = decided = 0
    for seed in seeds(120):
        rng = random.Random(seed)
        case = {**case_of(BASE + seed), "profiles": [], "until": None}
        course = Course(case, events=again(rng, case["key"].encode()))
        run = Run(
            course,
            partitions=rng.choice((1, 3)),
            batch=rng.choice((1, 7, 500)),
            cache=rng.choice((1, 9999)),
            commit_after=rng.choice((0, 1e9)),
        ).go()
        assert run.decisions == course.decisions
        gone += run.store.gone
        decided += len(run.decisions)
    assert gone > 50
    assert decided > 500


def test_a_profile_is_kept_until_it_is_forgotten() -> None:
    book = Stage().fold.book
    for name, value in (
        ("profile", {"age": 3}),
        ("consent", {"marketing": False}),
        ("suppressed", True),
        ("bound", "+8613900000000"),
        ("timezone", "Asia/Tokyo"),
    ):
        sub = Subscriber(KEY, book.hash)
        assert expires(sub, book) < FAR
        setattr(sub, name, value)
        assert expires(sub, book) == FAR


def test_behaviour_counts_for_48_hours_and_contacts_as_long_as_the_longest_cap() -> None:
    stage = Stage(rule("text", {"happens": "sms.out"}), given={})
    stage.see(CAFE, 0)
    sub = stage.sub
    sub.profile, sub.consent, sub.bound, sub.timezone = {}, {}, None, None
    assert expires(sub, stage.fold.book) == when(0) + HOURS_48
    sub.contacts.append([when(0), "text", None, "offer", False, "id"])
    assert expires(sub, stage.fold.book) == when(0) + stage.fold.book.longest
