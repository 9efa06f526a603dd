"""CloudEvents 1.0 out of an HTTP request, in the three ways of the HTTP protocol binding (3).

structured   content-type application/cloudevents+json: one event
batch        content-type application/cloudevents-batch+json: a list of events
binary       any other JSON, attributes in headers `ce-id`, `ce-type`, ...: the body is the event's data
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from connectors.push.http_door import Request
from connectors.push.notices import parsed
from engine.refusals import Bad, describe

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
JSON: Final = "application/json"


def is_binary(request: Request) -> bool:
    """Say whether an event's attributes are in the headers."""
    return request.media not in (STRUCTURED, BATCH) and "ce-type" in request.headers


def unknown_media(request: Request) -> str:
    """Say what was expected in place of a media type that holds no event; empty if it may hold one.

    Plain `application/json` is taken for a structured event, or a list of them: senders write it.
    """
    media = request.media
    if media in (STRUCTURED, BATCH, JSON) or (media.endswith("+json") and is_binary(request)):
        return ""
    return f"expected {STRUCTURED} or {BATCH}, or {JSON} with ce- headers, was another media type"


def events_of(request: Request) -> list[Any]:
    """Return the events of a request, as JSON and unchecked; raise `Bad` if it holds none."""
    if is_binary(request):
        event: dict[str, Any] = {
            name[3:]: unquote(value) for name, value in request.headers.items() if name.startswith("ce-")
        }
        event["data"] = parsed(request.body) if request.body else None
        return [event]
    found = parsed(request.body)
    if request.media == BATCH and not isinstance(found, list):
        raise Bad("a list of events", describe(found), field="body")
    if request.media == STRUCTURED and not isinstance(found, dict):
        raise Bad("an event", describe(found), field="body")
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        return [found]
    raise Bad("an event, or a list of them", describe(found), field="body")
