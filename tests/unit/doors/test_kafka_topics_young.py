"""Topics on a cluster that has just started: what it answers before it is complete is asked again.

A stub stands for the admin client, since a real cluster passes these answers by in an instant of its own
choosing; `tests/integration/test_kafka_topics.py` has the real thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from connectors import kafka_topics
from connectors.kafka_client import KafkaAccess
from connectors.kafka_topics import ensure
from engine.errors import LogError
from engine.topics import topics

ACCESS = KafkaAccess("kafka:9092")
OFFERS = topics()["offers"]
FEW_BROKERS, NOT_CONTROLLER, TIMED_OUT, EXISTS, DENIED, UNKNOWN = 38, 41, 7, 36, 29, 3


class YoungCluster:
    """Answers creations by `codes` in turn, 0 after them; a topic made is led and described a look later."""

    def __init__(self, *codes: int, leaderless: int = 1, unknown: int = 1, denied: bool = False) -> None:
        self.codes = list(codes)
        self.leaderless = leaderless
        """Looks at which a topic made has no leader yet."""
        self.unknown = unknown
        """Times that a broker does not know the topic whose settings are asked for."""
        self.denied = denied
        self.made: dict[str, Any] = {}
        self.tries = 0
        self.closed = 0

    def __call__(self, **options: Any) -> YoungCluster:
        """Be made as the client is."""
        assert options["bootstrap_servers"] == ["kafka:9092"]
        return self

    async def start(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Leave."""
        self.closed += 1

    async def create_topics(self, new: Sequence[Any], timeout_ms: int) -> Any:
        """Answer by the next code; a topic that exists, or is made, is there from now on."""
        self.tries += 1
        code = self.codes.pop(0) if self.codes else 0
        if code in (0, EXISTS):
            self.made |= {topic.name: topic for topic in new}
        return SimpleNamespace(topic_errors=[(topic.name, code, None) for topic in new])

    async def describe_topics(self, names: None) -> list[Any]:
        """Show what is made, first without leaders."""
        leader = 1 if self.leaderless <= 0 else -1
        self.leaderless -= bool(self.made)
        partition = {"leader": leader, "replicas": [1]}
        return [
            {"topic": name, "error_code": 0, "partitions": [partition] * topic.num_partitions}
            for name, topic in self.made.items()
        ]

    async def describe_configs(self, resources: Iterable[Any]) -> list[Any]:
        """Show settings, first those of nothing."""
        self.unknown -= 1
        code = DENIED if self.denied else UNKNOWN if self.unknown >= 0 else 0
        shown = [
            (code, None, 2, one.name, [] if code else list(self.made[one.name].topic_configs.items()))
            for one in resources
        ]
        return [SimpleNamespace(resources=shown)]


@pytest.fixture
def young(monkeypatch: pytest.MonkeyPatch) -> Any:
    def put(cluster: YoungCluster) -> YoungCluster:
        monkeypatch.setattr(kafka_topics, "AIOKafkaAdminClient", cluster)
        monkeypatch.setattr(kafka_topics, "LOOK_SECONDS", 0.001)
        return cluster

    return put


@pytest.mark.parametrize(
    "codes",
    [(), (FEW_BROKERS, FEW_BROKERS), (NOT_CONTROLLER,), (TIMED_OUT, EXISTS), (EXISTS,)],
    ids=["at once", "few brokers", "not the controller", "made after all", "another made it"],
)
async def test_what_is_not_complete_yet_is_waited_for(young: Any, codes: tuple[int, ...]) -> None:
    cluster = young(YoungCluster(*codes))
    await ensure(ACCESS, [OFFERS], create=True)
    assert cluster.tries == max(len(codes) + (EXISTS not in codes), 1)
    assert (cluster.leaderless < 0, cluster.unknown < 0, cluster.closed) == (True, True, 1)


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        (YoungCluster(*[FEW_BROKERS] * 10_000), "expected to be created, was refused: .*[Rr]eplication"),
        (YoungCluster(leaderless=10_000), "expected to get leaders, was without"),
        (YoungCluster(unknown=10_000), "expected to show its settings, was refused: "),
    ],
    ids=["few brokers", "no leader", "not known"],
)
async def test_it_is_not_waited_for_ever(young: Any, cluster: YoungCluster, said: str) -> None:
    young(cluster)
    with pytest.raises(LogError, match=f"^topic {OFFERS.name}: {said}"):
        await ensure(ACCESS, [OFFERS], create=True, within=0.05)
    assert cluster.closed == 1


@pytest.mark.parametrize("cluster", [YoungCluster(DENIED), YoungCluster(denied=True)], ids=["make", "see"])
async def test_what_time_does_not_mend_is_told_at_once(young: Any, cluster: YoungCluster) -> None:
    young(cluster)
    with pytest.raises(LogError, match=f"topic {OFFERS.name}: expected to .*, was refused: .*uthoriz"):
        await ensure(ACCESS, [OFFERS], create=True, within=3_600)
    assert cluster.tries == 1
