"""The client of a registry: what it answers, what is trouble that passes, and how often it is asked."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.registry_options import RegistryAccess
from connectors.schema_registry import REFERENCES_AT_MOST, Registry, UnknownSchemaError
from connectors.schemas import UNKNOWN_SECONDS, Schemas
from engine.errors import InputError, LogError
from engine.refusals import Bad
from tests.servers.registry import Twin, basic, register
from tests.testdata import CHECKOUT
from tests.unit.topics.schemas import schemas_at

TLS = CHECKOUT / "tests" / "data" / "tls"


def ask(url: str, number: int, *more: str, **options: Any) -> Any:
    """Ask registries for a schema."""

    async def asking() -> Any:
        registry = Registry(RegistryAccess(urls=(url, *more), **options))
        try:
            return await registry.schema(number)
        finally:
            await registry.close()

    return asyncio.run(asking())


def test_a_schema_is_asked_for_once(twin: Twin) -> None:
    number = register(twin.url, "value", '"string"')
    raw = b"\0" + number.to_bytes(4, "big") + b"\x02a"

    async def learn() -> None:
        schemas = schemas_at(twin.url)
        assert schemas.needs(raw) == number
        with pytest.raises(Bad, match="was learned"):
            schemas.decode(raw)
        await schemas.learn(number)
        for _ in range(3):
            assert schemas.needs(raw) is None
            assert schemas.decode(raw) == "a"
        await schemas.close()

    asyncio.run(learn())
    assert twin.asked == {f"/schemas/ids/{number}": 1}


def test_an_unknown_schema_is_asked_for_again_after_a_while(twin: Twin) -> None:
    now = 0.0
    schemas = Schemas(Registry(RegistryAccess(urls=(twin.url,))), clock=lambda: now)
    raw = b"\0\0\0\0\1\x02a"

    async def learn() -> None:
        await schemas.learn(1)
        await schemas.close()

    asyncio.run(learn())
    assert schemas.needs(raw) is None
    with pytest.raises(Bad) as raised:
        schemas.decode(raw)
    assert raised.value.expected == "its schema in the registry (schema 1)"
    assert register(twin.url, "value", '"string"') == 1
    now = UNKNOWN_SECONDS + 1
    assert schemas.needs(raw) == 1
    asyncio.run(learn())
    assert schemas.decode(raw) == "a"


def test_subjects_that_were_deleted(twin: Twin) -> None:
    register(twin.url, "inner", {"type": "record", "name": "I", "fields": []})
    outer = {
        "type": "record",
        "name": "O",
        "fields": [{"name": "i", "type": "I"}, {"name": "x", "type": "int"}],
    }
    number = register(twin.url, "outer", outer, I="inner")
    twin.delete("inner")
    assert list(ask(twin.url, number).references) == ["I"]
    twin.delete("inner", permanent=True)
    with pytest.raises(UnknownSchemaError, match="inner version 1, to which its schema refers"):
        ask(twin.url, number)


def test_references_without_end(twin: Twin) -> None:
    circle = register(twin.url, "circle", '"string"', circle="circle")
    assert list(ask(twin.url, circle).references) == ["circle"]
    many = register(
        twin.url, "many", '"string"', **{f"r{n}": "circle" for n in range(REFERENCES_AT_MOST + 1)}
    )
    with pytest.raises(UnknownSchemaError, match="at most 200 references"):
        ask(twin.url, many)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 429, 500, 502, 503])
def test_an_answer_that_is_none_passes(status: int, twin: Twin) -> None:
    number = register(twin.url, "value", '"string"')
    twin.status = status
    # a 404 of the twin then has no code of a schema that is unknown
    with pytest.raises(LogError, match=f"HTTP {status}"):
        ask(twin.url, number)
    twin.status = 200
    assert ask(twin.url, number).text == '"string"'


def test_an_address_without_a_registry_is_no_answer(twin: Twin) -> None:
    register(twin.url, "value", '"string"')
    with pytest.raises(LogError, match="there is no schema registry at this address"):
        ask(f"{twin.url}/else", 1)


def test_while_it_is_down_the_next_one_is_asked(twin: Twin) -> None:
    number = register(twin.url, "value", '"string"')
    assert ask("http://127.0.0.1:1", number, twin.url).type == "AVRO"
    twin.stop()
    try:
        with pytest.raises(LogError, match="expected to be asked, was not possible: ConnectError"):
            ask("http://127.0.0.1:1", number, twin.url)
    finally:
        twin.start()
    assert ask(twin.url, number).type == "AVRO"


def test_one_that_hangs_is_given_up(twin: Twin) -> None:
    twin.hangs = threading.Event()
    with pytest.raises(LogError, match="ReadTimeout"):
        ask(twin.url, 1, timeout_seconds=0.2)
    twin.hangs.set()


@pytest.mark.parametrize(
    ("wanted", "options"),
    [
        (basic("ann", "s3"), {"username": "ann", "password": "s3"}),
        ("Bearer t0ken", {"token": "t0ken"}),
    ],
)
def test_credentials(wanted: str, options: dict[str, Any], twin: Twin) -> None:
    number = register(twin.url, "value", '"string"')
    twin.wanted = wanted
    assert ask(twin.url, number, **options).text == '"string"'
    with pytest.raises(LogError, match="HTTP 401: it does not take these credentials") as raised:
        ask(twin.url, number, token="wr0ng")
    assert "wr0ng" not in str(raised.value)
    assert not any(secret in repr(RegistryAccess(urls=(twin.url,), **options)) for secret in ("s3", "t0ken"))


@pytest.fixture
def tls() -> Iterator[Twin]:
    """A registry behind TLS, with the certificate of the tests."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    registry = Twin(context).start()
    yield registry
    registry.stop()


def test_tls(tls: Twin) -> None:
    with pytest.raises(UnknownSchemaError):
        ask(tls.url, 1, ca=TLS / "cert.pem", cert=TLS / "cert.pem", key=TLS / "key.pem")
    with pytest.raises(LogError, match="CERTIFICATE_VERIFY_FAILED"):
        ask(tls.url, 1)


def test_certificates_that_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"ca": tmp_path / "none.pem"}, "ca: expected a file of certificates"),
        ({"ca": tmp_path / "empty.pem"}, "ca: expected a file of certificates"),
        ({"cert": tmp_path / "none.pem"}, "cert: expected a certificate and its key"),
        ({"cert": TLS / "cert.pem"}, "cert: expected a certificate and its key"),
    ]
    for options, said in wrong:
        with pytest.raises(InputError, match=f"schema registry: {said}"):
            Registry(RegistryAccess(urls=("https://registry",), **options))
