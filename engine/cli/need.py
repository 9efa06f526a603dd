"""Is there what a command needs? Asked first: a client looks half a minute for a topic that is missing."""

from __future__ import annotations

from connectors.kafka_topics import ensure
from engine.deployment.clients import kafka_access
from engine.deployment.common import topics_of
from engine.settings import Settings


async def need_topics(settings: Settings, *names: str) -> dict[str, str]:
    """Return the full names of topics, by short name; raise `LogError` naming those missing or wrong."""
    wanted = {name: topic for name, topic in topics_of(settings).items() if name in names}
    await ensure(kafka_access(settings), wanted.values(), create=False)
    return {name: topic.name for name, topic in wanted.items()}
