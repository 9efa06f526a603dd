"""The generated schemas say what intake does: samples hold against both."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from connectors.column_map import load_map
from connectors.jsonl import read_events
from connectors.profiles import read_profiles
from connectors.xdr_files import rows
from engine.event_kinds import KINDS
from engine.schema import intake_schema, log_schema
from tests.unit.doors.support import FILES, IMEI, IMSI, MSISDN, Desk, T, sight
from tests.unit.doors.test_log_shape import records

INTAKE = Draft202012Validator(intake_schema())
LOG = Draft202012Validator(log_schema())


@pytest.mark.parametrize("schema", [intake_schema(), log_schema()], ids=["intake", "log"])
def test_the_schemas_are_schemas(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert set(KINDS) < set(schema["$defs"])
    orjson.dumps(schema)


def samples() -> list[dict[str, Any]]:
    text: dict[str, Any] = {
        "text": "x",
        "number": 1,
        "money": 20.5,
        "bytes": 1,
        "duration": 2.5,
        "yes/no": True,
        "set": ["x"],
        "phone": "+86 139 1234 5678",
    }
    found = []
    for kind, spec in KINDS.items():
        record: dict[str, Any] = {"kind": kind, "t": T, "t_start": T - 1, "id": "a", "source": "s"}
        if spec.about_subscriber:
            record |= {"imsi": IMSI, "msisdn": MSISDN, "imei": IMEI}
        for name, field in spec.fields.items():
            record[name] = field.values[0] if field.values else text[field.type]
            if name.endswith(".tac"):
                record[name] = "35925406"
            if name == "timezone":
                record[name] = "Europe/Berlin"
        for name, mapping in spec.maps.items():
            record[name] = {"marketing": True} if mapping.values == "yes/no" else {"arpu": 1, "tags": ["a"]}
        found.append(record)
    return found


@pytest.mark.parametrize("record", samples(), ids=lambda record: record["kind"])
def test_a_full_record_of_every_kind_holds_before_and_after_intake(record: dict[str, Any]) -> None:
    assert not list(INTAKE.iter_errors(record))
    before = set(record) - {"imsi", "imei"} - ({"msisdn"} if record["kind"] != "profile.update" else set())
    event = Desk().one(record)
    assert not list(LOG.iter_errors(event.fields))
    assert before <= set(event.fields)


def test_an_array_of_records_is_a_message() -> None:
    assert INTAKE.is_valid([sight(), sight(t=T + 1)])
    assert not LOG.is_valid([])


@given(records())
@settings(max_examples=100)
def test_what_the_schema_takes_intake_takes_into_log_shape(record: dict[str, Any]) -> None:
    desk = Desk()
    events = desk.read(record)
    if INTAKE.is_valid(record) and not events:
        # Beyond a schema: E.164 of an MSISDN, start against end, names of timezones.
        (refusal,) = desk.refusals
        assert refusal.reason in ("identity", "time") or refusal.detail.startswith("timezone: ")
    for event in events:
        # Handsets that can't be true are flagged, identities behind a better one are not looked at.
        unseen = dict.fromkeys(("msisdn", "imei", "imeisv"))
        assert INTAKE.is_valid({**record, **unseen}) or record.get("imsi") or record.get("msisdn")
        assert LOG.is_valid(event.fields)


@pytest.mark.parametrize(
    "change",
    [
        {"imsi": IMSI},
        {"imei": IMEI},
        {"msisdn": MSISDN},
        {"subscriber": "x"},
        {"colour": "red"},
        {"subscriber_key": "x"},
        {"number": "13912345678"},
        {"t": 0},
    ],
)
def test_the_log_holds_nothing_else(change: dict[str, Any]) -> None:
    record = {"kind": "call.in", "t": T, "subscriber_key": "0" * 32, "number": "10086"}
    assert LOG.is_valid(record)
    assert not LOG.is_valid({**record, **change})


def test_the_doors_write_log_shape() -> None:
    intake = Desk().intake
    events = [
        *read_events(FILES / "events.jsonl", intake),
        *read_profiles(FILES / "profiles.jsonl", intake),
        *rows(FILES / "gn-ragged.csv", load_map("gn-unicom-2015"), intake),
        *rows(FILES / "s1mme.txt", load_map(FILES / "s1mme.yaml"), intake),
    ]
    assert len(events) == 13
    for event in events:
        assert not list(LOG.iter_errors(event.fields))
