"""Dead letters: which are meant, and where the record of one can be had again.

A letter shows the start of its record with long numbers hidden, and every record has one: its time. So the
record is never made of the letter but taken from where it stood: the log, somebody else's topic, or a file of
the landing directory, as long as that is kept.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import orjson

EMPTY = ("gap", "file")
"""Reasons of letters about records that were not there."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter, and its own place."""

    topic: str
    partition: int
    offset: int
    fields: dict[str, Any]

    @property
    def place(self) -> str:
        """Where the letter is: TOPIC:PARTITION:OFFSET."""
        return f"{self.topic}:{self.partition}:{self.offset}"

    @property
    def failed_at(self) -> int:
        """When the record was refused, µs."""
        return int(self.fields["failed_at"])

    def to_json(self) -> dict[str, Any]:
        """The letter as plain data, and whether it can be requeued."""
        home = home_of(self)
        return {"place": self.place, **self.fields, "requeue": home if isinstance(home, str) else "yes"}


@dataclass(frozen=True, slots=True)
class Home:
    """Where the record of a letter can be had."""

    door: Literal["log", "topic", "file"]
    name: str
    """Of the topic or file; empty: the log."""
    partition: int
    offset: int
    """Of a file the number of the line, from 1."""
    element: int = 0
    """Its place in an array, from 1; 0: the message is the record."""
    feed: str = ""
    """Its feed of the feeds file; empty: of the settings, or the log."""

    @property
    def place(self) -> tuple[int, int]:
        """Partition and offset."""
        return self.partition, self.offset


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which letters are meant: all of these hold."""

    reason: str = ""
    source: str = ""
    since: int = 0
    """µs; by when the record was refused."""
    places: Collection[str] = ()
    """Places of letters, or of records as letters name them; empty: any."""

    def holds(self, letter: Letter) -> bool:
        """Say whether a letter is meant."""
        fields = letter.fields
        if self.reason and fields["reason"] != self.reason:
            return False
        if self.source and fields["source"] != self.source:
            return False
        if letter.failed_at < self.since:
            return False
        return not self.places or letter.place in self.places or fields["position"] in self.places


def read_letter(topic: str, partition: int, offset: int, value: bytes) -> Letter | None:
    """Read a message of the topic of dead letters; None if it is none."""
    try:
        fields = orjson.loads(value)
        letter = Letter(topic, partition, offset, fields)
        texts = [fields[name] for name in ("reason", "detail", "source", "position", "raw", "stage")]
        return letter if letter.failed_at and all(isinstance(text, str) for text in texts) else None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def home_of(letter: Letter) -> Home | str:
    """Say where the record of a letter can be had, or in words why it can't be requeued."""
    fields = letter.fields
    stage, position = fields["stage"], fields["position"]
    place, _, number = position.rpartition("#")
    element = int(number) if number.isdecimal() else 0
    if not element:
        place = position
    if fields["reason"] in EMPTY:
        return "there is no record in it"
    if stage == "engine":
        return Home("log", "", int(fields["partition"]), int(fields["offset"]), element)
    if stage == "load":
        return f"put {position} right and load the file again"
    feed = fields.get("feed", "")
    if feed and not {"file", "topic"} & set(fields):
        return f"it was pushed to the feed {feed}, which keeps nothing: have it sent again"
    name = fields.get("topic") or fields.get("file") or ""
    numbers = place.removeprefix(f"{name}:").split(":")
    if name and all(number.isdecimal() for number in numbers):
        if "topic" in fields and len(numbers) == 2:
            return Home("topic", name, int(numbers[0]), int(numbers[1]), element, feed)
        if "file" in fields and len(numbers) == 1:
            return Home("file", name, 0, int(numbers[0]), element, feed)
    return f"expected TOPIC:PARTITION:OFFSET or FILE:LINE as its position, was {position}"


def pick(value: bytes, element: int) -> bytes | None:
    """Return one record of a message; None if it is not there. `element`: as `Home` has it."""
    if not element:
        return value
    try:
        return orjson.dumps(orjson.loads(value)[element - 1])
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return None
