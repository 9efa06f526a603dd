"""Dead letters: which are meant, where their records are, and what intake says to them now."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from engine.care.letters import Chosen, Home, Letter, home_of, pick, read_letter
from engine.care.requeue import Requeue
from engine.collect import partition_of
from engine.identity import Identity
from engine.lane_state import letters
from engine.refusals import Refusal, dead_letter
from tests.unit.cli.support import SECOND, T, sight

IDENTITY = Identity(b"a key")
IMSI = "460001234567890"


def letter(
    stage: str = "collector", reason: str = "type", position: str = "feed:1:7", **origin: Any
) -> Letter:
    refusal = Refusal(
        reason, "t: expected X, was Y", origin.pop("source", "core"), position, '{"t":<digits>}'
    )
    value = dead_letter(refusal, stage, origin.pop("failed_at", T), origin)
    found = read_letter("p.deadletters.v1", 2, 17, value)
    assert found is not None
    return found


def of_the_engine(position: str) -> Letter:
    [value] = letters([Refusal("kind", "kind: expected a known kind", "log", position, "{}")], "0" * 32, T)
    found = read_letter("p.deadletters.v1", 0, 1, value)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("given", "home"),
    [
        (letter(topic="feed"), Home("topic", "feed", 1, 7)),
        (letter(position="feed:1:7#3", topic="feed"), Home("topic", "feed", 1, 7, 3)),
        (letter(position="a:b:1:7", topic="a:b"), Home("topic", "a:b", 1, 7)),
        (of_the_engine("3:99"), Home("log", "", 3, 99)),
        (of_the_engine("3:99#2"), Home("log", "", 3, 99, 2)),
        (letter(position="x.csv:4", file="x.csv"), Home("file", "x.csv", 0, 4)),
        (letter(position="#x.csv:4", file="#x.csv"), Home("file", "#x.csv", 0, 4)),
        (letter(position="#x:1.csv:4#2", file="#x:1.csv"), Home("file", "#x:1.csv", 0, 4, 2)),
        (
            letter("load", position="stop.txt:2", file="stop.txt"),
            "put stop.txt:2 right and load the file again",
        ),
        (letter(position="x.csv:4", file="x.csv", feed="mme"), Home("file", "x.csv", 0, 4, 0, "mme")),
        (letter(position="feed:1:7#2", topic="feed", feed="bss"), Home("topic", "feed", 1, 7, 2, "bss")),
        (
            letter(position="hooks:12#1", feed="hooks"),
            "it was pushed to the feed hooks, which keeps nothing: have it sent again",
        ),
        (letter(reason="gap", topic="feed"), "there is no record in it"),
        (letter(reason="file", file="x.csv"), "there is no record in it"),
        (
            letter(position="somewhere", topic="feed"),
            "expected TOPIC:PARTITION:OFFSET or FILE:LINE as its position, was somewhere",
        ),
    ],
)
def test_the_record_is_where_it_stood_or_it_is_said_why_it_is_not_to_be_had(
    given: Letter, home: Home | str
) -> None:
    assert home_of(given) == home
    assert given.to_json()["requeue"] == (home if isinstance(home, str) else "yes")
    assert given.to_json()["place"] == given.place


def test_all_filters_have_to_hold() -> None:
    given = letter(topic="feed", source="mme", failed_at=T)
    assert Chosen().holds(given)
    assert Chosen("type", "mme", T, {given.place}).holds(given)
    assert Chosen(places={"feed:1:7"}).holds(given)
    for other in (
        Chosen("json", "mme"),
        Chosen("type", "core"),
        Chosen("type", "mme", T + 1),
        Chosen(places={"feed:1:8"}),
    ):
        assert not other.holds(given)


@pytest.mark.parametrize("value", [b"", b"no JSON", b"[]", b'{"reason":"type"}', b'{"failed_at":"x"}'])
def test_what_is_no_letter_is_passed_over(value: bytes) -> None:
    assert read_letter("t", 0, 0, value) is None


def test_of_an_array_one_record_is_picked() -> None:
    assert pick(b'[{"a":1},{"b":2}]', 2) == b'{"b":2}'
    assert pick(b'{"a":1}', 0) == b'{"a":1}'
    assert pick(b'[{"a":1}]', 2) is None
    assert pick(b"{broken", 1) is None
    assert pick(b'{"a":1}', 1) is None


@pytest.fixture
def requeue() -> Requeue:
    """Over three partitions, an hour after T."""
    return Requeue(3, lambda: T + 3_600 * SECOND)


def taken_by(requeue: Requeue, given: Letter, raw: bytes) -> list[tuple[int, bytes]] | str | None:
    """Read a record as the log or a feed has it."""
    intake = requeue.intake(IDENTITY)
    read = intake.read if given.fields["stage"] == "collector" else intake.read_log
    return requeue.take(lambda: read(raw, given.fields["source"], given.fields["position"]))


def test_a_record_of_a_feed_goes_into_the_log_without_what_names_a_person(requeue: Requeue) -> None:
    raw = orjson.dumps({**sight(IMSI, 5), "id": "a"})
    taken = taken_by(requeue, letter(topic="feed"), raw)
    assert isinstance(taken, list)
    [(partition, value)] = taken
    key = IDENTITY.of_imsi(IMSI) or ""
    assert partition == partition_of(key, 3)
    record = orjson.loads(value)
    assert (record["subscriber_key"], record["id"], record["source"]) == (key, "a", "core")
    assert IMSI.encode() not in value
    assert taken_by(requeue, of_the_engine("0:1"), value) == [(partition, value)]


@pytest.mark.parametrize(
    ("given", "raw", "said"),
    [
        (letter(topic="feed"), b"{broken", "refused again: expected JSON"),
        (letter(topic="feed"), orjson.dumps({"kind": "loc.update"}), "refused again: t: expected"),
        (
            letter(topic="feed"),
            orjson.dumps(sight(IMSI, 7_300)),
            "refused again: t: expected at most 1 h ahead",
        ),
        (letter(topic="feed"), b"[]", "there is no record in it"),
        (
            of_the_engine("0:1"),
            orjson.dumps({"kind": "rules.switch", "t": T, "hash": "0" * 32}),
            "a rules.switch belongs to its place in the log",
        ),
        (
            letter(topic="feed"),
            orjson.dumps({"kind": "tick", "t": T}),
            "a tick belongs to its place in the log",
        ),
    ],
)
def test_what_is_not_taken_now_either_is_named(
    requeue: Requeue, given: Letter, raw: bytes, said: str
) -> None:
    taken = taken_by(requeue, given, raw)
    assert isinstance(taken, str)
    assert taken.startswith(said)


def test_a_time_a_little_ahead_is_clamped_as_the_collector_does(requeue: Requeue) -> None:
    taken = taken_by(requeue, letter(topic="feed"), orjson.dumps(sight(IMSI, 5_000)))
    assert isinstance(taken, list)
    record = orjson.loads(taken[0][1])
    assert (record["t"], record["quality"]) == (T + 3_600 * SECOND, ["clamped"])


def test_what_is_not_there_is_no_record(requeue: Requeue) -> None:
    assert requeue.take(lambda: None) is None
