"""The AsyncAPI document: whole, true to the table of topics, its messages hold, its copy in docs is today's.

Its form was held against the official JSON Schema of AsyncAPI 3.0 when it was written; that file has 380 KB
and is not kept here, so these tests check by hand what the document uses of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator

from engine.asyncapi import document
from engine.event_kinds import KINDS
from engine.topics import topics
from tests.testdata import CHECKOUT
from tests.unit.doors.test_schema_out import PROFILE, SAMPLES, STAGED
from tests.unit.pipeline.stage import KEY, TEN

Json = dict[str, Any]
DOCUMENT = document(topics())
COMPONENTS = DOCUMENT["components"]


def inner(value: Any) -> Iterator[Json]:
    """Every mapping within a value, itself first."""
    if isinstance(value, dict):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from inner(one)


def at(reference: str) -> Any:
    """What a reference of the document leads to."""
    found: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def holding(short: str) -> Draft7Validator:
    """A validator of the values of a topic: any of its messages."""
    messages = [at(message["$ref"]) for message in DOCUMENT["channels"][short]["messages"].values()]
    return Draft7Validator({"anyOf": [message["payload"] for message in messages], "components": COMPONENTS})


def test_the_copy_in_docs_is_todays() -> None:
    copy = (CHECKOUT / "docs" / "asyncapi.json").read_bytes()
    assert orjson.loads(copy) == DOCUMENT, "./run touchpoint schema --asyncapi --out docs/asyncapi.json"
    assert copy == orjson.dumps(DOCUMENT, option=orjson.OPT_INDENT_2) + b"\n"


def test_its_head_is_that_of_asyncapi_3() -> None:
    assert list(DOCUMENT) == [
        "asyncapi",
        "info",
        "defaultContentType",
        "channels",
        "operations",
        "components",
    ]
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(DOCUMENT["info"])
    assert set(COMPONENTS) == {"messages", "schemas"}


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    references = [found["$ref"] for found in inner(DOCUMENT) if isinstance(found.get("$ref"), str)]
    assert len(references) > len(KINDS)
    for reference in references:
        assert at(reference)
    components = {f"#/components/{kind}/{name}" for kind, found in COMPONENTS.items() for name in found}
    assert components - set(references) == set()


def test_names_of_components_are_allowed_ones() -> None:
    names = [name for found in COMPONENTS.values() for name in found]
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9._-]+", name)] == []


def test_channels_are_the_topics() -> None:
    made = topics("acme", partitions=9, replication=3, min_isr=2, events_hours=60)
    channels = document(made)["channels"]
    assert list(channels) == list(made)
    for short, topic in made.items():
        channel = channels[short]
        bound = channel["bindings"]["kafka"]
        assert channel["address"] == bound["topic"] == f"acme.{short}.v1"
        assert (bound["partitions"], bound["replicas"]) == (topic.partitions, 3)
        settings = bound["topicConfiguration"]
        assert settings["cleanup.policy"] == [topic.cleanup]
        assert settings["retention.ms"] == topic.retention_ms
        written = {
            name: value[0] if isinstance(value, list) else str(value) for name, value in settings.items()
        }
        assert written == topic.settings()
    assert "Kept for 60 hours" in channels["events"]["description"]


@pytest.mark.parametrize("short", topics())
def test_messages_of_a_topic_have_its_key(short: str) -> None:
    topic = topics()[short]
    for message in DOCUMENT["channels"][short]["messages"].values():
        key = at(message["$ref"]).get("bindings", {}).get("kafka", {}).get("key", {})
        assert key.get("description", "") == topic.key


def test_each_topic_is_written_and_read_by_somebody() -> None:
    said = {(one["channel"]["$ref"], one["action"]) for one in DOCUMENT["operations"].values()}
    assert said == {(f"#/channels/{short}", action) for short in topics() for action in ("send", "receive")}


def test_schemas_are_of_draft_7_which_asyncapi_takes() -> None:
    for schema in COMPONENTS["schemas"].values():
        Draft7Validator.check_schema(schema)
    newer = {"$defs", "$schema", "$dynamicRef", "prefixItems", "unevaluatedProperties", "dependentRequired"}
    assert [found for found in inner(COMPONENTS["schemas"]) if newer & set(found)] == []
    # beside a reference draft 7 sees nothing
    assert [found for found in inner(DOCUMENT) if isinstance(found.get("$ref"), str) and len(found) > 1] == []


@pytest.mark.parametrize(
    ("short", "values"),
    [
        ("events", [{"kind": "call.in", "t": TEN, "subscriber_key": KEY, "number": "10086"}]),
        ("events", [{"kind": "tick", "t": TEN, "down": ["sms.in"]}]),
        ("events", [[{"kind": "tick", "t": TEN}, {"kind": "tick", "t": TEN + 1}]]),
        ("profiles", [PROFILE, None]),
        ("decisions", [line for _, line in STAGED]),
        ("decisions", [[line for _, line in STAGED if line["outcome"] == "refused"], SAMPLES[0][1]]),
        ("offers", [line for _, line in STAGED if line["outcome"] == "offer"]),
        ("deadletters", [sample for name, sample, _ in SAMPLES if name == "deadletter"]),
        ("rules", [sample for name, sample, _ in SAMPLES if name == "rules"]),
        ("checkpoints", [{"v": 1}, None]),
    ],
)
def test_a_topic_holds_its_messages_and_no_others(short: str, values: list[Any]) -> None:
    validator = holding(short)
    for value in values:
        assert [error.message for error in validator.iter_errors(value)] == []
    assert not validator.is_valid({})
    assert not validator.is_valid({**PROFILE, "imsi": "460000000000012"})
