"""Options of doors: what they may be, what is said of what they may not be, doors in a feeds file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.door import House
from connectors.doors import DOORS
from connectors.push.door import PushDoor
from connectors.push.options import CamaraOptions, DoorOptions
from engine.deployment.feeds.build import lives_of
from engine.deployment.feeds.look import problems_of
from engine.deployment.feeds.read import load_feeds
from engine.identity import Identity
from engine.options import expected_of
from engine.treatments.registry import Around
from tests.unit.collector.support import KEY
from tests.unit.push.support import TLS, TOKEN, secrets_in

OPEN: dict[str, Any] = {"listen": "127.0.0.1:0", "unauthenticated": True}
PUSHED = ("camara", "amf", "nef", "tcp")


def test_every_option_says_what_it_is() -> None:
    for door in PUSHED:
        for name, field in DOORS[door].options.model_fields.items():
            assert field.description, name
            assert expected_of(field), name


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"listen": "8443", "unauthenticated": True}, "expected an address such as 0.0.0.0:8443, was '8443'"),
        ({"listen": "h:99999", "unauthenticated": True}, "expected an address such as"),
        ({"listen": "h:1"}, "expected a way to sign in"),
        ({**OPEN, "tokens_variable": "T"}, "expected `unauthenticated: no` beside tokens_variable, was yes"),
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


GOOD = f"""\
feeds:
  geofences:
    door: camara
    listen: 0.0.0.0:8443
    path: /camara
    tokens_file: secrets
    tls_cert: {TLS / "cert.pem"}
    tls_key: {TLS / "key.pem"}
    answer_time: 20s
    areas:
      airport: 40.08,116.58,3000
  core:
    door: amf
    listen: 0.0.0.0:8444
    unauthenticated: yes
  exposure:
    door: nef
    listen: 0.0.0.0:8445
    tokens_file: secrets
    plmn: "46000"
  probes:
    door: tcp
    listen: 0.0.0.0:9000
    map: gn-unicom-2015
    acknowledge: yes
    unauthenticated: yes
"""


def feeds_file(folder: Path, text: str) -> Path:
    path = folder / "feeds.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_feeds_file_opens_the_doors(tmp_path: Path) -> None:
    secrets_in(tmp_path, TOKEN)
    feeds = load_feeds(feeds_file(tmp_path, GOOD))
    identity = Identity(KEY)
    assert feeds.problems == ()
    assert problems_of(feeds, House(), identity, {}) == []
    lives = lives_of(feeds, House(), Around(identity))
    assert [live.source.name for live in lives] == ["geofences", "core", "exposure", "probes"]
    assert all(isinstance(live.source, PushDoor) for live in lives)
    assert [live.idle_seconds for live in lives] == [30, 30, 30, 300]


def test_mistakes_of_a_feeds_file_are_told_with_their_place(tmp_path: Path) -> None:
    secrets_in(tmp_path, "short")
    text = GOOD.replace("cert.pem", "none.pem").replace("8444", "8443").replace("signature", "")
    feeds = load_feeds(feeds_file(tmp_path, text))
    assert feeds.problems == ()
    told = [str(found) for found in problems_of(feeds, House(), Identity(KEY), {})]
    assert [line.partition("feeds.yaml:")[2] for line in told] == [
        "6:18: `tokens_file`: expected 16 characters or more in each secret, was 5 in number 1",
        "7:15: `tls_cert`: expected a file that can be read, was no such file or directory",
        "13:5: expected a port of its own, was port 8443, which the feed `geofences` reads",
        "19:18: `tokens_file`: expected 16 characters or more in each secret, was 5 in number 1",
    ]
    nobody = load_feeds(feeds_file(tmp_path, "feeds: {a: {door: camara, listen: h:1}}"))
    assert "expected a way to sign in" in str(nobody.problems[0])
    mapped = load_feeds(feeds_file(tmp_path, GOOD.replace("path: /camara", "map: gn-unicom-2015")))
    assert "the door `camara` takes none" in str(mapped.problems[0])
