"""Options of doors: what they may be, and what is said of what they may not be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.push.door import PushDoor
from connectors.push.doors import DOORS
from connectors.push.options import CamaraOptions, DoorOptions, NefOptions, TcpOptions
from engine.errors import InputError
from engine.event_kinds import KINDS

OPEN: dict[str, Any] = {"listen": "127.0.0.1:0", "unauthenticated": True}


def test_every_door_is_made_of_its_options_and_says_which_kinds_it_brings() -> None:
    for name, kind in DOORS.items():
        door = kind.make(name, kind.options(**OPEN))
        assert isinstance(door, PushDoor)
        assert (door.name, door.server.port, door.position) == (name, 0, {"seen": []})
        assert kind.kinds <= set(KINDS)


def test_every_option_says_what_it_is() -> None:
    for kind in DOORS.values():
        for name, field in kind.options.model_fields.items():
            assert field.description, name
            assert isinstance(field.json_schema_extra, dict), name
            assert field.json_schema_extra["expected"], name


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"listen": "8443", "unauthenticated": True}, "expected HOST:PORT, was '8443'"),
        ({"listen": "h:99999", "unauthenticated": True}, "expected HOST:PORT"),
        ({"listen": "h:1"}, "expected a way to sign in"),
        ({**OPEN, "tokens_variable": "T"}, "expected unauthenticated: no beside tokens_variable, was yes"),
        ({**OPEN, "tls_cert": "c"}, "expected tls_cert and tls_key together"),
        ({"listen": "h:1", "tls_client_ca": "c"}, "expected tls_cert and tls_key beside tls_client_ca"),
        ({**OPEN, "areas": {"a b": "1,2,3"}}, "expected a name of 1 to 54 letters"),
        ({**OPEN, "areas": {"a": "1,2"}}, "expected LAT,LON,RADIUS"),
        ({**OPEN, "areas": {"a": "91,2,3"}}, "expected LAT,LON,RADIUS"),
        ({**OPEN, "areas": {"a": "1,2,nan"}}, "expected LAT,LON,RADIUS"),
        ({**OPEN, "path": "camara"}, "pattern"),
        ({**OPEN, "tokens": "x"}, "Extra inputs"),
        ({**OPEN, "queue_records": 1}, "greater than or equal to 100"),
    ],
)
def test_what_is_wrong_is_told(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CamaraOptions(**given)


def test_addresses_of_ipv6_stand_in_brackets() -> None:
    assert DoorOptions(listen="[::1]:8443", unauthenticated=True).address == ("::1", 8443)
    assert DoorOptions(listen="0.0.0.0:8443", unauthenticated=True).address == ("0.0.0.0", 8443)


def test_texts_of_a_file_become_values() -> None:
    options = NefOptions.model_validate({"listen": "h:1", "unauthenticated": "yes", "connections": "9"})
    assert (options.unauthenticated, options.connections) == (True, 9)


def test_a_column_map_that_does_not_exist_is_told() -> None:
    with pytest.raises(InputError, match=r"map: expected a \.yaml file or one of the maps"):
        DOORS["tcp"].make("tcp", TcpOptions(**OPEN, map="none"))
