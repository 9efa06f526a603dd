"""All doors by the names that a feeds file gives them: a new door is one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors import landing_door, topic_door
from connectors.door import Door
from connectors.pcap import door as pcap
from connectors.push import doors as push

DOORS: Final[Mapping[str, Door[Any]]] = {
    "landing": landing_door.DOOR,
    "topic": topic_door.DOOR,
    "pcap": pcap.DOOR,
    "camara": push.CAMARA,
    "amf": push.AMF,
    "nef": push.NEF,
    "tcp": push.TCP,
}
