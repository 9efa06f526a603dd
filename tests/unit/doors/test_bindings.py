"""A number that two profiles name is bound to the later of them, in whatever order profiles are read."""

from __future__ import annotations

from itertools import permutations

import orjson
import pytest

from connectors.kafka_bindings import bind
from engine.identity import Identity
from engine.outbox import profile_of
from tests.unit.pipeline.stage import GIVEN, KEY, OTHER, Stage, when

NUMBER = "+8613900000001"
OLD, NEW = KEY, OTHER


def profile(key: str, at: int, number: str | None = NUMBER) -> tuple[bytes, bytes]:
    return key.encode(), orjson.dumps({"msisdn": number, "bound_at": at})


@pytest.mark.parametrize("read", list(permutations([profile(OLD, 5), profile(NEW, 9), profile(OLD, 5)])))
def test_the_later_binding_holds_in_any_order(read: tuple[tuple[bytes, bytes], ...]) -> None:
    at_once, one_by_one = Identity(b"key"), Identity(b"key")
    bind(at_once, read)
    for message in read:
        bind(one_by_one, [message])
    assert at_once.bound(NUMBER) == one_by_one.bound(NUMBER) == NEW


def test_of_one_time_it_is_the_same_one_whoever_reads() -> None:
    found = set()
    for read in permutations([profile(OLD, 5), profile(NEW, 5)]):
        identity = Identity(b"key")
        bind(identity, read)
        found.add(identity.bound(NUMBER))
    assert len(found) == 1


def test_what_the_collector_read_itself_is_not_taken_back_by_an_older_profile() -> None:
    identity = Identity(b"key")
    bind(identity, [profile(OLD, 5)])
    key = identity.bind("460001234567890", NUMBER, 9)
    bind(identity, [profile(OLD, 5)])
    assert identity.of_msisdn(NUMBER) == key
    bind(identity, [profile(NEW, 10)])
    assert identity.of_msisdn(NUMBER) == NEW


def test_whoever_held_it_last_is_forgotten() -> None:
    identity = Identity(b"key")
    bind(identity, [profile(OLD, 5), profile(NEW, 9), (NEW.encode(), None)])
    assert identity.bound(NUMBER) == OLD
    bind(identity, [(OLD.encode(), b"")])
    assert identity.bound(NUMBER) is None


def test_a_message_that_is_no_profile_binds_nothing() -> None:
    identity = Identity(b"key")
    bind(identity, [(OLD.encode(), b"{"), (NEW.encode(), b"[1]"), (None, b"{}"), profile(OLD, 3, None)])
    assert identity.bound(NUMBER) is None


def test_only_a_profile_that_names_the_number_binds_it_anew() -> None:
    on = Stage(given={**GIVEN, "msisdn": NUMBER})
    for kind, fields in (
        ("consent.change", {"consent": {"marketing": True}}),
        ("profile.update", {"profile": {"tier": "gold"}}),
        ("product.bought", {"product": "x"}),
    ):
        on.record(kind, 5, **fields)
        assert orjson.loads(profile_of(on.sub, when(5)))["bound_at"] == when(0)
    on.record("profile.update", 6, msisdn=NUMBER)
    assert orjson.loads(profile_of(on.sub, when(6)))["bound_at"] == when(6)
