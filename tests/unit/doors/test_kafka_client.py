"""Options of Kafka's clients: plain values in, every mistake named with its variable.

`tests/data/tls` holds a certificate for 127.0.0.1 that signs itself, its key, and the key under a passphrase:
made for these tests with openssl, good until 2126, known to nobody else.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka_client import SASL, SECURITY, KafkaAccess, client_options
from engine.errors import SettingsError
from tests.testdata import CHECKOUT

TLS = CHECKOUT / "tests" / "data" / "tls"
CERT, KEY, LOCKED = TLS / "cert.pem", TLS / "key.pem", TLS / "locked.pem"
SIGNED = {"sasl": "PLAIN", "user": "engine", "password": "open sesame"}


def access(**values: Any) -> KafkaAccess:
    return KafkaAccess(**{"bootstrap": "kafka:9092", **values})


def mistakes(**values: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        client_options(access(**values))
    return [problem.removeprefix("TOUCHPOINT_KAFKA_") for problem in caught.value.problems]


def test_plain() -> None:
    assert client_options(access(bootstrap="a:1, b.example:65535,[::1]:9092")) == {
        "bootstrap_servers": ["a:1", "b.example:65535", "[::1]:9092"],
        "security_protocol": "PLAINTEXT",
    }


@pytest.mark.parametrize("mechanism", SASL)
def test_with_a_password(mechanism: str) -> None:
    assert client_options(access(security="SASL_PLAINTEXT", **{**SIGNED, "sasl": mechanism})) == {
        "bootstrap_servers": ["kafka:9092"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": mechanism,
        "sasl_plain_username": "engine",
        "sasl_plain_password": "open sesame",
    }


@pytest.mark.parametrize("security", ["SSL", "SASL_SSL"])
@pytest.mark.parametrize(
    "files", [{}, {"ca": CERT}, {"ca": CERT, "cert": CERT, "cert_key": KEY}], ids=["none", "ca", "all"]
)
def test_with_tls_names_of_hosts_are_checked(security: str, files: dict[str, Path]) -> None:
    context = client_options(access(security=security, **SIGNED, **files))["ssl_context"]
    assert isinstance(context, ssl.SSLContext)
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    if files:
        assert [found["serialNumber"] for found in context.get_ca_certs()]


def test_certificate_and_key_in_one_file(tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(KEY.read_bytes() + CERT.read_bytes())
    assert client_options(access(security="SSL", cert=both))["ssl_context"]


@pytest.mark.parametrize(
    "servers", ["", "kafka", "kafka:", ":9092", "kafka:0", "kafka:65536", "a:1,,b:2", "a:1 b:2", "http://a:1"]
)
def test_servers_that_are_none(servers: str) -> None:
    [said] = mistakes(bootstrap=servers)
    assert said == f"BOOTSTRAP: expected host:port, or several parted by commas, was {servers!r}"


def test_a_protocol_that_is_none() -> None:
    assert mistakes(security="TLS") == [f"SECURITY: expected one of {', '.join(SECURITY)}, was 'TLS'"]


def test_what_signing_in_needs_is_named_together_and_the_password_never_shown() -> None:
    assert mistakes(security="SASL_PLAINTEXT", sasl="GSSAPI", bootstrap="kafka") == [
        "BOOTSTRAP: expected host:port, or several parted by commas, was 'kafka'",
        "SASL: expected one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, was 'GSSAPI'",
        "USER: expected a user name with TOUCHPOINT_KAFKA_SECURITY=SASL_PLAINTEXT, was empty",
        "PASSWORD: expected a password with TOUCHPOINT_KAFKA_SECURITY=SASL_PLAINTEXT, was empty",
    ]
    assert "sesame" not in repr(access(**SIGNED))
    assert "sesame" not in "".join(mistakes(security="SASL_SSL", ca=KEY, **SIGNED))


def test_files_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone.pem"
    assert mistakes(security="SSL", ca=gone, cert=gone, cert_key=tmp_path) == [
        f"CA: expected a file with certificates (PEM), was {gone} (No such file or directory)",
        f"CERT: expected a file that can be read, was {gone} (No such file or directory)",
        f"CERT_KEY: expected a file that can be read, was {tmp_path} (Is a directory)",
    ]


def test_a_file_of_authorities_without_one() -> None:
    [said] = mistakes(security="SSL", ca=KEY, cert=CERT, cert_key=KEY)
    assert said == f"CA: expected a file with certificates (PEM), was {KEY} (no certificate in it)"


@pytest.mark.parametrize(
    "files",
    [{"cert": CERT}, {"cert": CERT, "cert_key": CERT}, {"cert": KEY, "cert_key": KEY}],
    ids=["no key", "no key in it", "no certificate in it"],
)
def test_a_certificate_without_its_key(files: dict[str, Path]) -> None:
    [said] = mistakes(security="SSL", **files)
    assert said.startswith(
        "CERT: expected a certificate and its private key without a passphrase (PEM), was "
    )


def test_a_key_under_a_passphrase_is_a_mistake_and_no_question() -> None:
    [said] = mistakes(security="SSL", cert=CERT, cert_key=LOCKED)
    assert "without a passphrase" in said


def test_a_key_alone() -> None:
    assert mistakes(security="SSL", cert_key=KEY) == [
        "CERT: expected the certificate of TOUCHPOINT_KAFKA_CERT_KEY, was not given"
    ]


@pytest.mark.parametrize("security", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_files_of_tls_do_not_go_with_a_clear_connection(security: str) -> None:
    expected = "expected no file, or TOUCHPOINT_KAFKA_SECURITY=SSL or SASL_SSL"
    assert mistakes(security=security, **SIGNED, ca=CERT, cert=CERT, cert_key=KEY) == [
        f"{name}: {expected}, was {str(path)!r}"
        for name, path in (("CA", CERT), ("CERT", CERT), ("CERT_KEY", KEY))
    ]
