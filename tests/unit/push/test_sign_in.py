"""Who may push to a webhook: tokens, signatures, certificates; and nothing of them is shown."""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from connectors.push.secrets import SIGNATURE, TIMESTAMP, signature_of
from engine.errors import InputError
from tests.unit.push.support import OTHER, SIGNING, TLS, TOKEN, camara_event, secrets_in, served
from tests.unit.push.test_webhook import JSON, door, post


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 204),
        (f"bearer {OTHER}", 204),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Basic {TOKEN}", 401),
        ("Bearer", 401),
        (TOKEN, 401),
        ("", 401),
        ("Bearer \u00e4", 401),
    ],
)
async def test_one_of_several_tokens_opens_the_door(authorization: str, status: int) -> None:
    source = door()
    headers = [
        (b"authorization", authorization.encode("latin-1")),
        (b"content-type", JSON["content-type"].encode()),
    ]
    with capture_logs() as told:
        async with served(source) as (sender, world):
            said = await post(sender, headers=headers)
            assert said.status_code == status
            assert len(await world.records()) == (status == 204)
    if status == 401:
        assert said.headers["www-authenticate"] == "Bearer"
        assert said.json()["code"] == "UNAUTHENTICATED"
        assert source.counts["strangers"] == 1
        assert [line["source"] for line in told] == ["camara"]
    assert TOKEN not in str(told)
    assert TOKEN not in said.text


async def test_tokens_of_a_file_are_changed_while_it_runs(tmp_path: Path) -> None:
    path = secrets_in(tmp_path, TOKEN)
    source = door(tokens_file=path)
    server: Any = source.server
    async with served(source) as (sender, _):
        assert (await post(sender)).status_code == 204
        secrets_in(tmp_path, OTHER)
        server._tokens._look_at = 0.0
        with capture_logs() as told:
            assert (await post(sender)).status_code == 401
            assert (
                await post(sender, headers={**JSON, "authorization": f"Bearer {OTHER}"})
            ).status_code == 204
            path.unlink()
            server._tokens._look_at = 0.0
            assert (
                await post(sender, headers={**JSON, "authorization": f"Bearer {OTHER}"})
            ).status_code == 204
    assert [line["log_level"] for line in told] == ["info", "warning", "warning"]
    assert OTHER not in str(told)


def signed(body: bytes, key: str = SIGNING, shift: float = 0) -> dict[str, str]:
    stamp = str(round(time.time() + shift))
    return {**JSON, TIMESTAMP: stamp, SIGNATURE: signature_of(key.encode(), stamp, body)}


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("good", 204),
        ("another key", 401),
        ("another body", 401),
        ("too old", 401),
        ("too new", 401),
        ("no stamp", 401),
        ("another stamp", 401),
        ("none", 401),
    ],
)
async def test_a_signed_body_is_taken_within_its_time(case: str, status: int) -> None:
    body = orjson.dumps(camara_event())
    headers = signed(body)
    if case == "another key":
        headers = signed(body, "another-key-of-the-tests")
    elif case == "another body":
        headers = signed(body + b" ")
    elif case in ("too old", "too new"):
        headers = signed(body, shift=-320 if case == "too old" else 320)
    elif case == "no stamp":
        del headers[TIMESTAMP]
    elif case == "another stamp":
        headers[TIMESTAMP] = str(int(headers[TIMESTAMP]) - 1)
    elif case == "none":
        headers = dict(JSON)
    async with served(door(signature_variable="KEYS")) as (sender, world):
        said = await sender.post("/camara", content=body, headers=headers)
        assert said.status_code == status
        assert len(await world.records()) == (status == 204)


async def test_a_recorded_request_that_is_sent_again_changes_nothing() -> None:
    body = orjson.dumps(camara_event())
    headers = signed(body)
    async with served(door(signature_variable="KEYS")) as (sender, world):
        for _ in range(3):
            assert (await sender.post("/camara", content=body, headers=headers)).status_code == 204
        assert len(await world.records()) == 1


async def test_only_known_certificates_get_a_connection() -> None:
    source = door(tls_cert=TLS / "cert.pem", tls_key=TLS / "key.pem", tls_client_ca=TLS / "cert.pem")
    known = ssl.create_default_context(cafile=str(TLS / "cert.pem"))
    known.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    async with served(source, tls=True, verify=known, http2=True) as (sender, _):
        said = await post(sender, headers=JSON)
        assert (said.status_code, said.http_version) == (204, "HTTP/2")
        stranger = ssl.create_default_context(cafile=str(TLS / "cert.pem"))
        async with httpx.AsyncClient(base_url=sender.base_url, verify=stranger, trust_env=False) as other:
            with pytest.raises(httpx.TransportError):
                await post(other, headers=JSON)
        assert (await post(sender, headers=JSON)).status_code == 204


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tls_cert": TLS / "none.pem", "tls_key": TLS / "key.pem"}, "camara: tls_cert: expected a file"),
        (
            {"tls_cert": TLS / "cert.pem", "tls_key": TLS / "locked.pem"},
            "camara: tls_cert, tls_key: expected",
        ),
        ({"tls_cert": TLS / "key.pem", "tls_key": TLS / "key.pem"}, "camara: tls_cert, tls_key: expected"),
        (
            {
                "tls_cert": TLS / "cert.pem",
                "tls_key": TLS / "key.pem",
                "tls_client_ca": TLS / "key.pem",
            },
            "camara: tls_client_ca: expected certificates",
        ),
        ({"tokens_file": TLS / "none.pem"}, "camara: tokens_file: expected a file that can be read"),
        ({"tokens_variable": "NONE"}, "camara: tokens_variable: expected one or more secrets"),
        ({"signature_variable": "NONE"}, "camara: signature_variable: expected one or more secrets"),
    ],
)
def test_files_that_are_wrong_are_told_by_their_option(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        door(**options)
    assert str(raised.value).startswith(message)


def test_short_secrets_are_not_taken_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        door(tokens_file=secrets_in(tmp_path, TOKEN, "short"))
    assert str(raised.value) == (
        "camara: tokens_file: expected 16 characters or more in each secret, was '5 in number 2'"
    )
