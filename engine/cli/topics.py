"""`touchpoint topics`: make the topics of a deployment that are missing, check those that are there."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from connectors.kafka_topics import ensure
from engine.cli.console import say, table
from engine.deployment.clients import kafka_access
from engine.deployment.common import topics_of
from engine.settings import load_settings, require
from engine.topics import FOREVER, HOUR_MS


def command(
    check: Annotated[
        bool, typer.Option("--check", help="Only check: a topic that is missing is a mistake.")
    ] = False,
) -> None:
    """Make the topics that are missing and check the others: partitions, retention, compaction, copies.

    Every role does this when it starts; this command serves whoever sets a deployment up. Topics are as
    docs/asyncapi.json describes them, with the partitions, retention and copies of the settings.

    Exit code 0: all are as they have to be; 2: some are not, each is named, or Kafka can't be reached.
    """
    settings = load_settings()
    require(settings, "kafka_bootstrap")
    topics = topics_of(settings)
    asyncio.run(ensure(kafka_access(settings), topics.values(), create=not check))
    rows = [
        (
            topic.name,
            topic.partitions,
            topic.cleanup,
            "for ever" if topic.retention_ms == FOREVER else f"{topic.retention_ms // HOUR_MS} h",
            topic.key or "none",
        )
        for topic in topics.values()
    ]
    table(("topic", "partitions", "cleanup", "kept at least", "key"), rows)
    say("\nall topics are as they have to be")
