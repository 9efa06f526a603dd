"""Records of dead letters read once more, the way they came: by map, schemas and numbers of their feed.

Of a feed's treatments only those are done that look at each record alone (`Treatment.alone`): all others lean
on the order of the feed, and a record that comes again is out of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from connectors.column_map import ColumnMap
from connectors.field_map import FieldMap
from connectors.kafka_read import log_errors, read_at, records_at
from connectors.kafka_topic_id import find_topic
from connectors.landing_door import LandingOptions
from connectors.landing_lines import lines_at
from connectors.registry_options import schemas_of
from connectors.topic_door import TopicOptions
from connectors.topic_messages import Message, SchemaSource, TopicMessages
from connectors.xdr_files import Rows
from engine.care.letters import Home, pick
from engine.care.requeue import Requeue
from engine.deployment.clients import kafka_options
from engine.deployment.common import columns_of
from engine.deployment.feeds.build import load_tables, map_of
from engine.deployment.feeds.model import Feed, Feeds
from engine.deployment.feeds.read import load_feeds
from engine.deployment.feeds.use import foreign_options, house_of
from engine.errors import InputError, SettingsError
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.settings import PREFIX, Settings
from engine.treatments.chain import Chain
from engine.treatments.registry import Around, edge_of
from engine.treatments.step import Step
from engine.treatments.who_options import IdentityOptions

NAMED_BY_SETTINGS = {"file": "landing", "topic": "foreign"}
"""Door -> name of its feed, where a setting names it: a feed that was moved into the file keeps the name."""


class Way(Protocol):
    """One place where records can be had again. Order of calls: `read`, then `take` of what was found."""

    async def read(self, homes: Collection[Home]) -> Mapping[Home, Any]:
        """Return what is kept of them. Raises LogError, InputError: nothing of it can be had just now."""
        ...

    def take(self, home: Home, kept: Any, source: str, position: str) -> Sequence[Event] | None:
        """Return the events of a record; None: there is no such record in what was kept."""
        ...


class Ways:
    """Finds the way of each record. Raises SettingsError for a feeds file with mistakes, once it is needed.

    `identity`: with the numbers that profiles bind; `events`: the topic of the log.
    """

    def __init__(self, settings: Settings, requeue: Requeue, identity: Identity, events: str) -> None:
        self._settings = settings
        self._requeue = requeue
        self._identity = identity
        self._log = LogWay(kafka_options(settings), events, requeue.intake(identity))
        self._known: dict[tuple[str, str], Way | str] = {}
        self._feeds: Feeds | None = None

    def way_of(self, home: Home) -> Way | str:
        """Return the way, or in words why there is none."""
        if home.door == "log":
            return self._log
        key = home.feed, home.name if home.door == "topic" else ""
        if key not in self._known:
            self._known[key] = self._of_feed(home) if home.feed else self._of_settings(home)
        return self._known[key]

    def _of_settings(self, home: Home) -> Way | str:
        settings = self._settings
        if home.door == "file" and settings.landing is not None:
            intake = self._requeue.intake(self._identity)
            return FileWay(settings.landing, columns_of(settings), intake, settings.key_bytes, Chain(()))
        if home.door == "topic" and home.name == settings.foreign_topic:
            messages = TopicMessages(home.name, self._requeue.intake(self._identity))
            return TopicWay(foreign_options(settings), messages, None, Chain(()))
        name = NAMED_BY_SETTINGS[home.door]
        if settings.feeds is not None and name in self._file().feeds:
            return self._of_feed(home, name)
        if home.door == "file":
            return f"expected {PREFIX}LANDING to find {home.name}, was not given"
        return f"expected the topic of {PREFIX}FOREIGN_TOPIC, was {home.name}"

    def _of_feed(self, home: Home, name: str = "") -> Way | str:
        name = name or home.feed
        if self._settings.feeds is None:
            return f"expected {PREFIX}FEEDS to find the feed {name}, was not given"
        feed = self._file().feeds.get(name)
        if feed is None:
            return f"expected the feed {name} in {self._settings.feeds}, was none of this name"
        try:
            return self._made(home, feed)
        except InputError as error:
            return f"the feed {name}: {error}"

    def _made(self, home: Home, feed: Feed) -> Way | str:
        options, columns = feed.options, map_of(feed)
        chain = Chain(self._alone(feed))
        intake = self._requeue.intake(self._identity, edge_of(chain))
        if feed.door_name == "landing" and isinstance(options, LandingOptions) and home.door == "file":
            assert columns is None or isinstance(columns, ColumnMap)
            return FileWay(options.folder, columns, intake, self._settings.key_bytes, chain)
        if isinstance(options, TopicOptions) and home.door == "topic":
            if options.topic != home.name:
                return f"expected the topic {options.topic} of the feed {feed.name}, was {home.name}"
            assert columns is None or isinstance(columns, FieldMap)
            kafka = dict(house_of(self._settings).kafka)
            if options.bootstrap:
                kafka["bootstrap_servers"] = options.bootstrap.split(",")
            schemas = None if options.registry is None else schemas_of(options.registry.access())
            return TopicWay(kafka, TopicMessages(home.name, intake, columns, schemas), schemas, chain)
        if isinstance(options, LandingOptions) and home.door == "file":
            # not of lines: a capture is read as a whole
            return f"it is of the feed {feed.name}: put {home.name} in again under another name"
        return f"expected the feed {feed.name} to come by a {home.door}, was the door {feed.door_name}"

    def _alone(self, feed: Feed) -> Sequence[Step]:
        """Make the treatments of a feed that look at each record alone."""
        tables = load_tables(self._file().tables)
        around = Around(self._identity, feed.disorder, tables)
        steps: list[Step] = []
        for asked in feed.treatments.values():
            options = asked.options
            if isinstance(options, IdentityOptions):
                # who has which number only the collector remembers
                options = options.model_copy(update={"correlate": False})
            if asked.treatment.alone:
                steps.append(asked.treatment.make(options, around))
        return steps

    def _file(self) -> Feeds:
        if self._feeds is None:
            assert self._settings.feeds is not None
            try:
                self._feeds = load_feeds(self._settings.feeds)
            except InputError as error:
                raise SettingsError([f"{PREFIX}FEEDS: {error}"]) from None
            wrong = [found for found in self._feeds.problems if found.severity == "error"]
            if wrong:
                raise SettingsError([f"{PREFIX}FEEDS: {found}" for found in wrong])
        return self._feeds


class LogWay:
    """Our own log: a record stands there in the log's own shape."""

    def __init__(self, options: Mapping[str, Any], topic: str, intake: Intake) -> None:
        self._options = options
        self._topic = topic
        self._intake = intake

    async def read(self, homes: Collection[Home]) -> Mapping[Home, bytes]:
        """Read the messages that are kept."""
        found = await read_at(self._options, self._topic, {home.place for home in homes})
        return {home: found[home.place] for home in homes if home.place in found}

    def take(self, home: Home, kept: bytes, source: str, position: str) -> Sequence[Event] | None:
        """Read the record of a message."""
        raw = pick(kept, home.element)
        return None if raw is None else self._intake.read_log(raw, source, position)


class FileWay:
    """A landing directory, its `done/` and `bad/`. `columns`: None: its files are JSON lines."""

    def __init__(
        self, folder: Path, columns: ColumnMap | None, intake: Intake, key: bytes, chain: Chain
    ) -> None:
        self._folder = folder
        self._rows = None if columns is None else Rows(columns, intake)
        self._intake = intake
        self._key = key
        self._chain = chain

    async def read(self, homes: Collection[Home]) -> Mapping[Home, bytes]:
        """Read the lines that are kept."""
        found: dict[Home, bytes] = {}
        for name in dict.fromkeys(home.name for home in homes):
            here = [home for home in homes if home.name == name]
            lines = lines_at(self._folder, name, {home.offset for home in here}, self._key)
            found.update({home: lines[home.offset] for home in here if home.offset in lines})
        return found

    def take(self, home: Home, kept: bytes, source: str, position: str) -> Sequence[Event] | None:
        """Read the record of a line."""
        if self._rows is not None:
            self._rows.before = None  # the row before it in its file is not here
            event = self._rows.take(home.offset, kept, position)
            return _through(self._chain, () if event is None else (event,))
        raw = pick(kept, home.element)
        return None if raw is None else _through(self._chain, self._intake.read(raw, source, position))


class TopicWay:
    """Somebody else's topic. `schemas`: those that `messages` decodes by."""

    def __init__(
        self, options: Mapping[str, Any], messages: TopicMessages, schemas: SchemaSource | None, chain: Chain
    ) -> None:
        self._options = options
        self._messages = messages
        self._schemas = schemas
        self._chain = chain

    async def read(self, homes: Collection[Home]) -> Mapping[Home, Message]:
        """Read the messages that are kept, and learn the schemas that they need."""
        messages = self._messages
        if not messages.id:
            # ids of records are made of it: the record gets the one that it had
            with log_errors(messages.topic, "be read"):
                messages.id = (await find_topic(self._options, messages.topic)).id
        found = await records_at(self._options, messages.topic, {home.place for home in homes})
        if self._schemas is not None:
            try:
                for record in found.values():
                    number = messages.needs(record.value or b"")
                    if number is not None:
                        await self._schemas.learn(number)
            finally:
                await self._schemas.close()
        return {home: found[home.place] for home in homes if home.place in found}

    def take(self, home: Home, kept: Message, source: str, position: str) -> Sequence[Event] | None:
        """Read the record of a message."""
        events = self._messages.read(kept, home.partition, home.offset, only=home.element)
        return _through(self._chain, events)


def _through(chain: Chain, events: Sequence[Event]) -> list[Event]:
    return [out for event in events for out in chain.take(event)]
