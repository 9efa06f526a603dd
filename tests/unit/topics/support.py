"""What the tests of foreign messages share: messages as Kafka gives them, and a desk that reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from connectors.field_map import FieldMap, load_field_map
from connectors.topic_messages import SchemaSource, TopicMessages
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Refusal

KEY = b"key of the tests"
T = 1_788_740_000_000_000
"""A morning in September 2026, µs UTC."""
IMSI = "460001234567890"
PROBE: dict[str, Any] = {
    "map": "probe",
    "source": "probe",
    "kind": {"path": "type", "values": {"TAU": "loc.update", "HO": "loc.handover"}, "otherwise": "skip"},
    "each": "events",
    "fields": {
        "t": {"path": "ts", "type": "time", "format": "epoch ms", "required": "yes"},
        "imsi": {"path": "$.header.imsi", "required": "yes"},
        "tac": {"path": "loc.tac", "type": "hex"},
        "cell": {"template": "460-00-{enb}"},
        "rat": {"path": "rat", "values": {"6": "LTE", "10": "NR"}},
    },
    "helpers": {"enb": {"path": "loc.enb", "type": "int"}},
}
"""A map of nested messages with an array inside."""


@dataclass
class Sent:
    """A message of Kafka."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()
    timestamp: int = T // 1_000


class Desk:
    """Reads messages of a topic, one after the other, and keeps what was refused."""

    def __init__(self, fields: FieldMap | None = None, schemas: SchemaSource | None = None) -> None:
        self.refusals: list[Refusal] = []
        self.messages = TopicMessages(
            "feed", Intake(Identity(KEY), on_refused=self.refusals.append), fields, schemas
        )
        self._offset = 0

    def read(self, value: Any, only: int = 0, **sent: Any) -> list[Event]:
        """Read a message: bytes as they are, anything else as JSON."""
        raw = value if isinstance(value, bytes) else orjson.dumps(value)
        found = self.messages.read(Sent(raw, **sent), 0, self._offset, only)
        self._offset += 1
        return found

    def fields(self, value: Any, **sent: Any) -> dict[str, Any]:
        """Read a message that holds exactly one good record; return its fields."""
        events = self.read(value, **sent)
        assert self.refusals == []
        [event] = events
        return event.fields

    def said(self) -> list[tuple[str, str, str]]:
        """What was refused since the last time: position, reason, detail."""
        said = [(refusal.position, refusal.reason, refusal.detail) for refusal in self.refusals]
        self.refusals.clear()
        return said


def map_of(folder: Path, data: dict[str, Any]) -> FieldMap:
    """Return a field map, by way of its file."""
    path = folder / "map.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return load_field_map(path)


def probe(**header: Any) -> dict[str, Any]:
    """Return a message of the probe with one event."""
    event = {"type": "TAU", "ts": T // 1_000, "loc": {"tac": "1A2B", "enb": 1234}, "rat": 6}
    return {"header": {"imsi": IMSI, **header}, "events": [event]}
