"""Settings of the log: how to reach Kafka, and what topics are made like."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, SecretStr

from engine.settings.declare import DEPLOYED, OptionalFile, Servers, password, setting, whole

SERVERS = "host:port, or several with commas between them"


class KafkaSettings(BaseModel):
    """Kafka and its topics."""

    kafka_bootstrap: Servers = setting(
        "", SERVERS, "Brokers to begin with. Every role of a deployment needs it.", DEPLOYED
    )
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = setting(
        "PLAINTEXT",
        "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
        "Whether the connection is encrypted (`SSL`) and signs in with user and password (`SASL`).",
        DEPLOYED,
    )
    kafka_sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = setting(
        "SCRAM-SHA-512",
        "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
        "How to sign in, where `KAFKA_SECURITY` begins with `SASL`.",
        DEPLOYED,
    )
    kafka_user: str = setting("", "a user name", "User to sign in as, with `SASL`.", DEPLOYED)
    kafka_password: SecretStr = password("Password of this user.", DEPLOYED)
    kafka_ca: OptionalFile = setting(
        None,
        "a file with certificates (PEM)",
        "Authorities that may have signed the brokers' certificates; without it, those of the system.",
        DEPLOYED,
    )
    kafka_cert: OptionalFile = setting(
        None, "a file with a certificate (PEM)", "Certificate to show to the brokers.", DEPLOYED
    )
    kafka_cert_key: OptionalFile = setting(
        None,
        "a file with a private key (PEM)",
        "Private key of `KAFKA_CERT`, without a passphrase.",
        DEPLOYED,
    )
    kafka_replication: int = whole(
        1, 1, 9, "Copies that topics are made with; 3 in production. Topics that exist are checked.", DEPLOYED
    )
    kafka_min_isr: int = whole(
        1, 1, 9, "Copies that must have a record before it counts; 2 of 3 in production.", DEPLOYED
    )
    topic_prefix: str = setting(
        "touchpoint",
        "1 to 100 of the characters a-z A-Z 0-9 . _ -",
        "What the names of all topics and groups begin with: `PREFIX.events.v1` and so on.",
        DEPLOYED,
        pattern=r"^[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,99}$",
    )
    events_retention_hours: int = whole(
        50,
        49,
        8_760,
        "How long records are kept in the log. More than the 48 hours that a rebuild needs.",
        DEPLOYED,
        "hours",
    )
    decisions_retention_days: int = whole(
        366,
        1,
        3_650,
        "How long decision lines are kept: at least as long as the longest cap or cooldown of the rules, "
        "else a rebuild forgets contacts. Rules that look back further are not published.",
        DEPLOYED,
        "days",
    )

    @property
    def kafka_servers(self) -> list[str]:
        """The brokers to begin with, as `host:port` each; empty if none are given."""
        return [part.strip() for part in self.kafka_bootstrap.split(",") if part]
