"""State as bytes: nothing is lost, nothing damaged is read, old versions are migrated."""

from __future__ import annotations

import random
from array import array
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.codec import VERSION, decode, encode
from engine.errors import StateError
from engine.history import read
from engine.snapshot import Subscriber
from tests.simulation.course import Course, case_of
from tests.unit.pipeline.stage import (
    BAR,
    CAFE,
    KEY,
    MINUTE,
    Stage,
    fates,
    minutes,
    rule,
    rules_of,
    when,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "state" / "v1.json"

DWELL = {"stays_in": "cafe", "for": "30m"}
TWO_TEXTS = {"count": "sms.out", "at_least": "2", "within": "1h"}
QUIET = "10:00 to 12:00"


def contents(sub: Subscriber) -> dict[str, Any]:
    """All that a subscriber's state means but the past, and none of how it is held."""
    skip = {
        "history",
        "heat",
        "derived",
        "bare",
        "wake",
        "noted",
        "packed_gates",
        "gates_dirty",
        "packed_core",
        "core_dirty",
        "fired",
        "fired_at",
    }
    found = {name: getattr(sub, name) for name in Subscriber.__slots__ if name not in skip}
    found["fired"] = (sub.fired_at, sub.fired) if sub.fired and sub.fired_at >= sub.clock else None
    found["visits"] = {place: (a, b, tuple(c)) for place, (a, b, c) in sub.visits.items()}
    dues = [*sub.timers.values(), *(hold["due"] for hold in sub.holds)]
    found["wake"] = min(dues, default=0)
    return {name: plain(value) for name, value in found.items()}


def plain(value: Any) -> Any:
    """Tuples and lists are the same once they have been JSON; the order of entries is kept."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, array):
        return value.tolist()
    if isinstance(value, bytearray):
        return value.hex()
    if isinstance(value, set):
        return sorted(plain(item) for item in value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def subscribers_of(seed: int) -> list[Subscriber]:
    """Subscribers in the middle of a random case."""
    course = Course(case_of(seed))
    fold = course.make_fold(None)
    for event in course.log[: random.Random(seed).randrange(len(course.log))]:
        fold.apply(event)
    return list(fold.subscribers.values())


def a_blob() -> bytes:
    on = Stage(rule("r", DWELL), rule("s", {"happens": "sms.out"}, quiet=QUIET))
    on.see(CAFE, 0)
    on.record("sms.out", 1, number="10086")
    return encode(on.sub)


# -- round trips ---------------------------------------------------------------------------------------------


def test_what_is_written_is_read_back() -> None:
    for seed in range(150):
        for sub in subscribers_of(seed):
            before = contents(sub)
            blob = encode(sub)
            again = decode(sub.key, blob)
            assert contents(again) == before
            assert encode(again) == blob


def test_a_new_subscriber_survives() -> None:
    sub = Subscriber(KEY, "0" * 32)
    assert contents(decode(KEY, encode(sub))) == contents(sub)


@pytest.mark.parametrize(
    "ids", [["0123456789abcdef", "fedcba9876543210"], ["a", "b"], ["0123456789ABCDEF"], ["é ü"]]
)
def test_ids_of_any_shape_are_kept(ids: list[str]) -> None:
    on = Stage(rule("r", {"happens": "sms.out"}))
    for at, id in enumerate(ids):
        on.record("sms.in", at, id=id)
    on.restart()
    for id in ids:
        on.record("sms.in", 5, id=id)
    assert on.fold.outcomes["duplicate"] == len(ids)


@pytest.mark.parametrize(
    "amount", ["0", "1", "0.5", "4294967294", "4294967295", "4294967296", "90071992547409"]
)
def test_numbers_of_any_size_are_kept_for_new_rules(amount: str) -> None:
    on = Stage(rule("r", {"happens": "complaint"}))
    on.record("recharge", 1, amount=float(amount))
    on.record("recharge", 2, amount=int(float(amount)))
    on.restart()
    paid = {"happens": "recharge", "where": {"amount": f"{amount} yuan"}}
    on.switch(rules_of(rule("r", {"sequence": [paid, {"happens": "sms.out"}], "within": "1h"})), 3)
    (decision,) = on.record("sms.out", 4)
    assert decision["values"]["match"] == {"start": when(2 if float(amount).is_integer() else 1)}


@pytest.mark.parametrize(
    ("field", "value", "test"),
    [
        ("number", "10086", "10086"),
        ("cell", CAFE, CAFE),
        ("quality", ["late", "dup"], "dup"),
        ("phase", "stop", "stop"),
        ("rat", "LTE", "LTE"),
        ("duration", 90, "at least 90s"),
    ],
)
def test_what_rules_can_test_is_kept_for_new_rules(field: str, value: Any, test: str) -> None:
    on = Stage(rule("r", {"happens": "complaint"}))
    on.record("call.out", 1, **{field: value})
    on.record("call.out", 2)
    on.restart()
    call = {"happens": "call.out", "where": {field: test}}
    on.switch(rules_of(rule("r", {"sequence": [call, {"happens": "sms.out"}], "within": "1h"})), 3)
    (decision,) = on.record("sms.out", 4)
    assert decision["values"]["match"] == {"start": when(1)}


@pytest.mark.parametrize(
    ("up", "duration"), [(5, 90), (5, 0.25), (5, 1 / 3), (5_000_000_000, 90), (1.5, 90), (4294967295, 90)]
)
def test_a_session_is_kept_with_its_start_whatever_its_numbers(up: float, duration: float) -> None:
    on = Stage(rule("r", {"total": "data.session.bytes", "at_least": "1 GB", "within": "2h"}))
    on.record("data.session", 10, start=8.5, up=up, duration=duration, app="video", host="a.example")
    on.restart()
    (past,) = read(on.sub.history)
    event = past.event()
    assert (event.t, event.seen) == (when(10), when(8.5))
    wanted = {"up": up, "duration": duration, "app": "video", "host": "a.example"}
    assert event.fields == wanted


def test_a_word_of_a_megabyte_is_cut_and_does_no_harm() -> None:
    on = Stage(rule("r", {"happens": "complaint"}))
    on.record("sms.reply", 1, text="退" * 300_000, number="10086")
    on.record("roam.out", 2, country="x" * 300_000)
    on.record("call.out", 3, quality=["dup"] * 300)
    on.restart()
    assert len(encode(on.sub)) < 100_000
    words = [past.words for past in read(on.sub.history)]
    assert words[1][0] == "x" * 500
    assert words[2][-1] == ("dup",) * 255


# -- versions ------------------------------------------------------------------------------------------------


def test_the_first_byte_is_the_version() -> None:
    assert a_blob()[0] == VERSION == 2


@pytest.mark.parametrize("version", [0, 3, 255])
def test_a_version_that_is_not_known_is_an_error_that_names_it(version: int) -> None:
    with pytest.raises(StateError, match=f"state of {KEY}: expected version 1 to 2, was {version}"):
        decode(KEY, bytes([version]) + a_blob()[1:])


def test_no_bytes_at_all_are_an_error() -> None:
    with pytest.raises(StateError):
        decode(KEY, b"")


def test_a_truncated_blob_is_an_error_wherever_it_ends() -> None:
    blob = a_blob()
    for size in range(1, len(blob)):
        with pytest.raises(StateError, match="damaged"):
            decode(KEY, blob[:size])
    with pytest.raises(StateError, match="damaged"):
        decode(KEY, blob + b"\0")


def test_a_flipped_bit_is_an_error_wherever_it_is() -> None:
    blob = a_blob()
    for at in range(1, len(blob)):
        damaged = bytearray(blob)
        damaged[at] ^= 1 << at % 8
        with pytest.raises(StateError):
            decode(KEY, bytes(damaged))


def version_1(**changes: Any) -> bytes:
    """The golden blob of version 1, changed."""
    return b"\x01" + orjson.dumps({**orjson.loads(GOLDEN.read_bytes()), **changes})


@pytest.mark.parametrize("part", ["core", "gates", "ids", "history"])
@pytest.mark.parametrize("wrong", [None, 7, [1, 2], "x"])
def test_a_damaged_blob_of_version_1_is_an_error(part: str, wrong: object) -> None:
    with pytest.raises(StateError):
        decode(KEY, version_1(**{part: wrong}))
    with pytest.raises(StateError):
        decode(KEY, version_1()[:-9])


def migrated() -> Stage:
    """A stage whose subscriber comes out of the golden blob: at five past ten, in the cafe since ten."""
    on = Stage(
        rule("r", DWELL, who={"tier": "gold"}),
        rule("s", TWO_TEXTS, at_most="1 in 1d"),
        rule("h", {"happens": "complaint"}),
    )
    sub = decode(KEY, version_1())
    sub.rules = on.rules.hash
    on.fold.drop_cache()
    on.fold.adopt(sub)
    return on


def test_version_1_is_read_and_goes_on_where_it_was() -> None:
    on = migrated()
    assert (on.sub.clock, on.sub.seq, on.sub.cell) == (when(5), 3, CAFE)
    assert on.sub.profile == {"tier": "gold", "tags": ["a"]}
    assert on.sub.bound == "+8613800138000"
    assert on.record("sms.out", 5, id="e3") == []
    assert on.fold.outcomes["duplicate"] == 1
    # the text of before counts, but there was a contact of this rule
    assert fates(on.record("sms.out", 6)) == ["s limits.at_most"]
    made = on.tick(31)
    assert (fates(made), minutes(made)) == (["gone valid", "r offer"], [20, 30])
    assert made[1]["trigger"] == {"source": "feed", "id": "door", "position": "0:7"}
    assert fates(on.see(BAR, 32)) == []


def test_version_1_keeps_its_past_for_new_rules() -> None:
    on = migrated()
    call = {"happens": "call.out", "where": {"number": "10086", "duration": "60s", "place": "cafe"}}
    on.switch(rules_of(rule("r", {"sequence": [call, {"happens": "sms.in"}], "within": "1h"})), 6)
    (decision,) = on.record("sms.in", 7)
    assert decision["values"]["match"] == {"start": when(4)}


def test_version_1_is_written_as_version_2() -> None:
    sub = decode(KEY, version_1())
    blob = encode(sub)
    assert blob[0] == 2
    assert contents(decode(KEY, blob)) == contents(sub)


def test_the_minutes_of_the_golden_blob_are_those_of_the_stage() -> None:
    assert orjson.loads(GOLDEN.read_bytes())["core"][1] == when(0) + 5 * MINUTE
