"""The feeds of a deployment: those of the feeds file, and the two that settings name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.door import House
from connectors.doors import DOORS
from connectors.foreign_topic import ForeignTopic
from connectors.landing import Landing
from connectors.landing_door import LandingOptions
from connectors.landing_scan import Choice
from connectors.topic_door import TopicOptions
from engine.collector import Live
from engine.deployment.clients import kafka_options
from engine.deployment.common import columns_of, topics_of
from engine.deployment.feeds.build import lives_of
from engine.deployment.feeds.look import problems_of
from engine.deployment.feeds.model import Feeds
from engine.deployment.feeds.read import load_feeds
from engine.errors import InputError, SettingsError
from engine.identity import Identity
from engine.settings import PREFIX, Settings
from engine.treatments.registry import Around

SECOND = 1_000_000


def is_fed(settings: Settings) -> bool:
    """Say whether settings name any feed."""
    return settings.feeds is not None or settings.landing is not None or bool(settings.foreign_topic)


def feeds_of(settings: Settings) -> Feeds | None:
    """Return the feeds file of the settings, None without one; raise `SettingsError` with all its mistakes.

    Also for what can't work: folders that are missing, maps that are broken.
    """
    if settings.feeds is None:
        return None
    try:
        feeds = load_feeds(settings.feeds)
    except InputError as error:
        raise SettingsError([f"{PREFIX}FEEDS: {error}"]) from None
    problems = problems_of(feeds, house_of(settings), identity_of(settings), named_by(settings))
    wrong = [
        f"{PREFIX}FEEDS: {found}{f' ({found.hint})' if found.hint else ''}"
        for found in problems
        if found.severity == "error"
    ]
    if wrong:
        raise SettingsError(wrong)
    return feeds


def named_by(settings: Settings) -> dict[str, list[str]]:
    """Return the feeds that settings name: name -> what each claims, as `Door.claims` says it."""
    found = {}
    if settings.landing is not None:
        found["landing"] = list(DOORS["landing"].claims(LandingOptions(folder=settings.landing)))
    if settings.foreign_topic:
        options = TopicOptions(topic=settings.foreign_topic, bootstrap=settings.foreign_bootstrap)
        found["foreign"] = list(DOORS["topic"].claims(options))
    return found


def house_of(settings: Settings) -> House:
    """Return what doors get of a deployment; without Kafka in the settings no topic can be read."""
    kafka = kafka_options(settings) if settings.kafka_bootstrap else {}
    topics = frozenset(topic.name for topic in topics_of(settings).values())
    return House(kafka, topics, settings.web_port)


def identity_of(settings: Settings) -> Identity:
    """Return what makes keys of subscribers."""
    return Identity(settings.key_bytes, settings.home_cc)


def lives_of_settings(settings: Settings, around: Around) -> list[Live]:
    """Return all sources: the two of the settings first, named `landing` and `foreign` as ever.

    `around`: as it is for the treatments of all feeds.
    """
    found: list[Live] = []
    if settings.landing is not None:
        found.append(
            Live(
                Landing(
                    "landing",
                    settings.landing,
                    columns_of(settings),
                    choice=Choice(stable=settings.landing_stable_seconds),
                ),
                kinds=frozenset(settings.landing_kinds_list),
                disorder=settings.landing_disorder_ms * 1_000,
                idle_seconds=settings.landing_idle_seconds,
            )
        )
    if settings.foreign_topic:
        found.append(
            Live(
                ForeignTopic("foreign", settings.foreign_topic, foreign_options(settings)),
                kinds=frozenset(settings.foreign_kinds_list),
                disorder=settings.foreign_disorder_ms * 1_000,
                idle_seconds=settings.foreign_idle_seconds,
            )
        )
    feeds = feeds_of(settings)
    if feeds is not None:
        found += lives_of(feeds, house_of(settings), around)
    return found


def foreign_options(settings: Settings) -> dict[str, Any]:
    """Return the options of the foreign topic's Kafka: ours, but perhaps at other brokers."""
    options, servers = kafka_options(settings), settings.foreign_servers
    return {**options, "bootstrap_servers": servers} if servers else options


def folders_of(feeds: Feeds | None) -> list[Path]:
    """Return the landing directories of a feeds file."""
    found = () if feeds is None else feeds.feeds.values()
    return [feed.options.folder for feed in found if isinstance(feed.options, LandingOptions)]
