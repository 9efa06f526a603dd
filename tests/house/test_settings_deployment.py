"""Settings of a deployment: Kafka, Redis, roles; what has to hold between them, and what a role needs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import SettingsError
from engine.settings import load_settings, misspelt, require
from engine.topics import topics

OWN = {"key": "a-key-of-our-own", "salt": "a-salt-of-our-own"}


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("TOUCHPOINT_"):
            monkeypatch.delenv(name)


def problems(*needed: str, **given: Any) -> list[str]:
    """What loading, and then requiring, complains about; options stand for variables."""
    with pytest.raises(SettingsError) as caught:
        require(load_settings(**given), *needed)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    "text", ["kafka", "kafka:", ":9092", "kafka:0", "kafka:70000", "a:1,,b:2", "a b:1", "::1:9092"]
)
def test_brokers_are_hosts_with_ports(text: str) -> None:
    expected = "expected host:port, or several with commas between them, was"
    assert problems(kafka_bootstrap=text) == [f"TOUCHPOINT_KAFKA_BOOTSTRAP: {expected} {text!r}"]
    assert problems(foreign_topic="x", foreign_bootstrap=text) == [
        f"TOUCHPOINT_FOREIGN_BOOTSTRAP: {expected} {text!r}"
    ]


def test_several_brokers() -> None:
    settings = load_settings(
        kafka_bootstrap="one:9092, [::1]:9093", foreign_topic="t", foreign_bootstrap="x:1"
    )
    assert settings.kafka_servers == ["one:9092", "[::1]:9093"]
    assert settings.foreign_servers == ["x:1"]
    assert load_settings().kafka_servers == []


@pytest.mark.parametrize(
    ("url", "mode", "nodes", "tls", "database"),
    [
        ("redis://store", "standalone", [("store", 6379)], False, 0),
        ("rediss://store:6380/3", "standalone", [("store", 6380)], True, 3),
        ("redis://[::1]", "standalone", [("::1", 6379)], False, 0),
        ("redis://a:7000,b:7001", "cluster", [("a", 7000), ("b", 7001)], False, 0),
        ("rediss://a,b:1/2", "sentinel", [("a", 26379), ("b", 1)], True, 2),
    ],
)
def test_addresses_of_redis(
    url: str, mode: str, nodes: list[tuple[str, int]], tls: bool, database: int
) -> None:
    master = "main" if mode == "sentinel" else ""
    settings = load_settings(redis_url=url, redis_mode=mode, redis_sentinel_master=master)
    assert (settings.redis_nodes, settings.redis_tls, settings.redis_database) == (nodes, tls, database)


@pytest.mark.parametrize(
    ("mode", "by_itself"),
    [("standalone", 0), ("sentinel", 1), ("cluster", 1)],
)
def test_where_there_are_replicas_one_has_to_confirm(
    mode: str, by_itself: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOUCHPOINT_REDIS_MODE", mode)
    if mode == "sentinel":
        monkeypatch.setenv("TOUCHPOINT_REDIS_SENTINEL_MASTER", "main")
    assert load_settings().redis_wait == by_itself
    for given in (0, 1, 2):
        monkeypatch.setenv("TOUCHPOINT_REDIS_WAIT", str(given))
        assert load_settings().redis_wait == given
    monkeypatch.delenv("TOUCHPOINT_REDIS_WAIT")
    file = tmp_path / "settings.toml"
    file.write_text("redis_wait = 0\n")
    monkeypatch.setenv("TOUCHPOINT_SETTINGS", str(file))
    assert load_settings().redis_wait == 0


def test_what_depends_on_a_wrong_setting_is_no_mistake_of_its_own() -> None:
    assert problems(redis_mode="clustre", web_port=-1) == [
        "TOUCHPOINT_REDIS_MODE: expected standalone, cluster or sentinel, was 'clustre'",
        "TOUCHPOINT_WEB_PORT: expected a whole number from 0 to 65535, was -1",
    ]
    assert problems(redis_mode="cluster", redis_wait=10) == [
        "TOUCHPOINT_REDIS_WAIT: expected a whole number from 0 to 9, was 10"
    ]


@pytest.mark.parametrize(
    "url",
    [
        "store:6379",
        "http://store",
        "redis://",
        "redis://store/x",
        "redis://user:hush-hush@store:6379",
        "redis://:hush/hush@store",
        "user:hush-hush@store",
        "redis://store?password=hush-hush",
    ],
)
def test_another_address_of_redis_is_refused_and_its_password_not_shown(url: str) -> None:
    [problem] = problems(redis_url=url)
    assert problem.startswith("TOUCHPOINT_REDIS_URL: expected redis://host:port")
    assert "hush" not in problem


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"kafka_security": "SASL_SSL"},
            [
                "TOUCHPOINT_KAFKA_USER: expected a user name with KAFKA_SECURITY SASL_SSL, was not given",
                "TOUCHPOINT_KAFKA_PASSWORD: expected a password with KAFKA_SECURITY SASL_SSL, was not given",
            ],
        ),
        (
            {"kafka_password": "hush-hush"},
            [
                "TOUCHPOINT_KAFKA_PASSWORD: expected nothing with KAFKA_SECURITY PLAINTEXT (to sign in: "
                "SASL_SSL), was given"
            ],
        ),
        (
            {"kafka_security": "SSL", "kafka_cert": __file__},
            [
                "TOUCHPOINT_KAFKA_CERT_KEY: expected a file with a private key (PEM) with KAFKA_CERT, "
                "was not given"
            ],
        ),
        (
            {"kafka_security": "SSL", "kafka_cert_key": __file__},
            [
                "TOUCHPOINT_KAFKA_CERT: expected a file with a certificate (PEM) with KAFKA_CERT_KEY, "
                "was not given"
            ],
        ),
        (
            {"kafka_ca": __file__},
            [
                "TOUCHPOINT_KAFKA_CA: expected nothing with KAFKA_SECURITY PLAINTEXT (to encrypt: SSL or "
                "SASL_SSL), was given"
            ],
        ),
        (
            {"kafka_ca": "gone.pem"},
            ["TOUCHPOINT_KAFKA_CA: expected a file with certificates (PEM), was 'gone.pem'"],
        ),
        (
            {"kafka_replication": 2, "kafka_min_isr": 3},
            ["TOUCHPOINT_KAFKA_MIN_ISR: expected at most KAFKA_REPLICATION (2), was 3"],
        ),
        (
            {"redis_mode": "sentinel"},
            [
                "TOUCHPOINT_REDIS_SENTINEL_MASTER: expected the name of a master with REDIS_MODE sentinel, "
                "was not given"
            ],
        ),
        (
            {"redis_sentinel_master": "main"},
            ["TOUCHPOINT_REDIS_SENTINEL_MASTER: expected nothing with REDIS_MODE standalone, was given"],
        ),
        (
            {"redis_url": "redis://a,b"},
            ["TOUCHPOINT_REDIS_URL: expected one host with REDIS_MODE standalone, was 2 hosts"],
        ),
        (
            {"redis_url": "redis://a,b/1", "redis_mode": "cluster"},
            ["TOUCHPOINT_REDIS_URL: expected database 0 with REDIS_MODE cluster, was 1"],
        ),
        (
            {"redis_user": "engine"},
            ["TOUCHPOINT_REDIS_PASSWORD: expected a password with REDIS_USER, was not given"],
        ),
        (
            {"redis_url": "redis://a", "redis_ca": __file__},
            [
                "TOUCHPOINT_REDIS_CA: expected nothing with a REDIS_URL without TLS (with: rediss://), "
                "was given"
            ],
        ),
        (
            {"landing_map": "gn-unicom-2015"},
            ["TOUCHPOINT_LANDING: expected a folder with LANDING_MAP, was not given"],
        ),
        (
            {"foreign_bootstrap": "x:1"},
            [
                "TOUCHPOINT_FOREIGN_TOPIC: expected the name of a topic (1 to 249 of the characters "
                "a-z A-Z 0-9 . _ -) with FOREIGN_BOOTSTRAP, was not given"
            ],
        ),
    ],
)
def test_what_does_not_fit_together(given: dict[str, Any], expected: list[str]) -> None:
    assert problems(**given) == expected


@pytest.mark.parametrize("short", list(topics()))
def test_no_topic_of_our_own_is_a_foreign_one(short: str) -> None:
    assert problems(topic_prefix="own", foreign_topic=f"own.{short}.v1", foreign_bootstrap="x:1") == [
        f"TOUCHPOINT_FOREIGN_TOPIC: expected the topic of somebody else, was own.{short}.v1, which this "
        "deployment makes itself (TOPIC_PREFIX own)"
    ]
    assert load_settings(topic_prefix="own", foreign_topic=f"other.{short}.v1").foreign_topic


def test_all_that_can_be_given_together() -> None:
    files = dict.fromkeys(("kafka_ca", "kafka_cert", "kafka_cert_key", "redis_ca"), __file__)
    settings = load_settings(
        **OWN,
        **files,
        kafka_bootstrap="kafka:9093",
        kafka_security="SASL_SSL",
        kafka_user="engine",
        kafka_password="hush-hush",
        redis_url="rediss://store",
        redis_user="engine",
        redis_password="hush-hush",
        landing="in",
        landing_map="gn-unicom-2015",
        foreign_topic="xdr.json",
    )
    require(settings, "kafka_bootstrap", "redis_url", "kafka_ca", "foreign_topic")
    assert settings.kafka_cert == Path(__file__)
    assert "hush" not in f"{settings} {settings!r} {settings.model_dump()}"


def test_an_empty_path_is_none_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_CA", "KAFKA_CERT", "KAFKA_CERT_KEY", "REDIS_CA", "LANDING"):
        monkeypatch.setenv(f"TOUCHPOINT_{name}", "")
    settings = load_settings()
    assert (settings.kafka_ca, settings.redis_ca, settings.landing) == (None, None, None)


def test_a_role_names_all_it_needs(tmp_path: Path) -> None:
    assert problems("kafka_bootstrap", "redis_url", "landing", landing=tmp_path / "gone", **OWN) == [
        "TOUCHPOINT_KAFKA_BOOTSTRAP: expected host:port, or several with commas between them, was not given",
        "TOUCHPOINT_REDIS_URL: expected redis://host:port (TLS: rediss://), several with commas between "
        "them, no user or password in it, was not given",
        f"TOUCHPOINT_LANDING: expected a folder, was '{tmp_path / 'gone'}', which does not exist",
    ]
    (tmp_path / "file").touch()
    assert problems("landing", landing=tmp_path / "file") == [
        f"TOUCHPOINT_LANDING: expected a folder, was '{tmp_path / 'file'}', which is no folder"
    ]
    require(load_settings(landing=tmp_path, redis_url="redis://store"), "landing", "redis_url")


def test_against_kafka_the_demo_secrets_have_to_be_asked_for() -> None:
    kafka = {"kafka_bootstrap": "kafka:9092"}
    assert problems("kafka_bootstrap", **kafka) == [
        f"TOUCHPOINT_{name.upper()}: expected a secret of your own against Kafka, was the public demo {name} "
        "(to try things out with made-up people: TOUCHPOINT_DEMO_SECRETS=yes)"
        for name in ("key", "salt")
    ]
    [only] = problems("kafka_bootstrap", key="a-key-of-our-own", **kafka)
    assert only.startswith("TOUCHPOINT_SALT: ")
    require(load_settings(demo_secrets="yes", **kafka), "kafka_bootstrap")
    require(load_settings(**OWN, **kafka), "kafka_bootstrap")


def test_against_kafka_secrets_are_long(tmp_path: Path) -> None:
    kafka = {"kafka_bootstrap": "kafka:9092", "demo_secrets": "yes"}
    assert problems("kafka_bootstrap", key="x" * 15, salt="é" * 7, **kafka) == [
        "TOUCHPOINT_KEY: expected a secret of 16 to 64 bytes against Kafka, was 15 bytes",
        "TOUCHPOINT_SALT: expected a secret of 16 to 64 bytes against Kafka, was 14 bytes",
    ]
    require(load_settings(key="x" * 16, salt="é" * 32, **kafka), "kafka_bootstrap")
    require(load_settings(key="x", salt="y"), "rules")  # the embedded run


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("TOUCHPOINT_KAFKA_BOOTSTRAPS", "TOUCHPOINT_KAFKA_BOOTSTRAP"),
        ("TOUCHPOINT_REDISURL", "TOUCHPOINT_REDIS_URL"),
        ("TOUCHPOINT_SETTING", "TOUCHPOINT_SETTINGS"),
        ("TOUCHPOINT_WEBPORT", "TOUCHPOINT_WEB_PORT"),
    ],
)
def test_a_variable_that_nearly_matches_is_named(variable: str, near: str) -> None:
    assert misspelt({variable: "x"}) == [f"{variable}: unknown setting, did you mean {near}?"]


def test_what_kubernetes_sets_for_services_is_no_mistake() -> None:
    tcp = "tcp://10.0.0.1:9464"
    environ = {f"TOUCHPOINT_{name}PORT": tcp for name in ("", "WEB", "KAFKA_", "ENGINE_")}
    environ |= {
        f"TOUCHPOINT_WEB_{name}": "1" for name in ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP")
    }
    environ |= {f"TOUCHPOINT_WEB_PORT_9464_TCP{name}": "1" for name in ("", "_PORT", "_PROTO", "_ADDR")}
    assert misspelt(environ) == []
