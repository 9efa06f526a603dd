"""What has to hold between settings: each mistake is a sentence that opens with the variable to change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.errors import InputError
from engine.paths import FOLDER, kind_of
from engine.settings.declare import PREFIX
from engine.settings.house import DEMO, DEPLOYED_SECRET_BYTES
from engine.settings.model import Settings, expected_of
from engine.topics import topics

FOLDERS: Final = ("landing", "out", "rules")


def across(settings: Settings) -> Iterator[str]:
    """Yield what does not fit together."""
    yield from _kafka(settings)
    yield from _redis(settings)
    if settings.foreign_bootstrap and not settings.foreign_topic:
        yield _missing(settings, "foreign_topic", "with FOREIGN_BOOTSTRAP")
    if settings.foreign_topic in {topic.name for topic in topics(settings.topic_prefix).values()}:
        # read in again, what is written there would be written again, without end
        yield (
            f"{PREFIX}FOREIGN_TOPIC: expected the topic of somebody else, was {settings.foreign_topic}, "
            f"which this deployment makes itself (TOPIC_PREFIX {settings.topic_prefix})"
        )
    if settings.landing_map and settings.landing is None:
        yield _missing(settings, "landing", "with LANDING_MAP")


def _kafka(settings: Settings) -> Iterator[str]:
    security = settings.kafka_security
    if security.startswith("SASL"):
        for name in ("kafka_user", "kafka_password"):
            if not _given(settings, name):
                yield _missing(settings, name, f"with KAFKA_SECURITY {security}")
    else:
        for name in ("kafka_user", "kafka_password"):
            if _given(settings, name):
                yield _unused(name, f"KAFKA_SECURITY {security} (to sign in: SASL_SSL)")
    if not security.endswith("SSL"):
        for name in ("kafka_ca", "kafka_cert", "kafka_cert_key"):
            if _given(settings, name):
                yield _unused(name, f"KAFKA_SECURITY {security} (to encrypt: SSL or SASL_SSL)")
    if settings.kafka_cert and not settings.kafka_cert_key:
        yield _missing(settings, "kafka_cert_key", "with KAFKA_CERT")
    if settings.kafka_cert_key and not settings.kafka_cert:
        yield _missing(settings, "kafka_cert", "with KAFKA_CERT_KEY")
    if settings.kafka_min_isr > settings.kafka_replication:
        yield (
            f"{PREFIX}KAFKA_MIN_ISR: expected at most KAFKA_REPLICATION ({settings.kafka_replication}), "
            f"was {settings.kafka_min_isr}"
        )


def _redis(settings: Settings) -> Iterator[str]:
    mode = settings.redis_mode
    if mode == "sentinel" and not settings.redis_sentinel_master:
        yield _missing(settings, "redis_sentinel_master", "with REDIS_MODE sentinel")
    if mode != "sentinel" and settings.redis_sentinel_master:
        yield _unused("redis_sentinel_master", f"REDIS_MODE {mode}")
    if mode == "standalone" and len(settings.redis_nodes) > 1:
        yield (
            f"{PREFIX}REDIS_URL: expected one host with REDIS_MODE standalone, "
            f"was {len(settings.redis_nodes)} hosts"
        )
    if mode == "cluster" and settings.redis_database:
        yield (
            f"{PREFIX}REDIS_URL: expected database 0 with REDIS_MODE cluster, was {settings.redis_database}"
        )
    if settings.redis_user and not _given(settings, "redis_password"):
        yield _missing(settings, "redis_password", "with REDIS_USER")
    if settings.redis_ca and settings.redis_url and not settings.redis_tls:
        yield _unused("redis_ca", "a REDIS_URL without TLS (with: rediss://)")


def needs(settings: Settings, names: tuple[str, ...]) -> Iterator[str]:
    """Yield what a role needs but has not got; against Kafka that is secrets of one's own, too."""
    for name in names:
        value = getattr(settings, name)
        if not _given(settings, name):
            yield _missing(settings, name)
        elif isinstance(value, Path):
            what = _not_there(name, value)
            if what:
                yield f"{PREFIX}{name.upper()}: expected {expected_of(name)}, was '{value}', which {what}"
    if "kafka_bootstrap" in names:
        yield from _secrets(settings)


def _not_there(name: str, path: Path) -> str:
    """Say what is wrong with a path that a role needs; empty: nothing."""
    try:
        kind = kind_of(path)
    except InputError as error:
        return f"can't be looked at ({error.was})"
    if not kind:
        return "does not exist"
    return "is no folder" if name in FOLDERS and kind != FOLDER else ""


def _secrets(settings: Settings) -> Iterator[str]:
    """Against Kafka they have to be one's own, and long."""
    least, most = DEPLOYED_SECRET_BYTES
    for name, public in DEMO.items():
        secret = getattr(settings, name).get_secret_value()
        if secret == public:
            if settings.demo_secrets == "no":
                yield (
                    f"{PREFIX}{name.upper()}: expected a secret of your own against Kafka, was the public "
                    f"demo {name} (to try things out with made-up people: {PREFIX}DEMO_SECRETS=yes)"
                )
        elif len(secret.encode()) < least:
            yield (
                f"{PREFIX}{name.upper()}: expected a secret of {least} to {most} bytes against Kafka, "
                f"was {len(secret.encode())} bytes"
            )


def _given(settings: Settings, name: str) -> bool:
    value = getattr(settings, name)
    return bool(
        value.get_secret_value() if hasattr(value, "get_secret_value") else value is not None and value != ""
    )


def _missing(settings: Settings, name: str, why: str = "") -> str:
    return f"{PREFIX}{name.upper()}: expected {expected_of(name)}{why and f' {why}'}, was not given"


def _unused(name: str, why: str) -> str:
    return f"{PREFIX}{name.upper()}: expected nothing with {why}, was given"
