"""Settings of the engine itself, of every way to run it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, SecretStr, field_validator

from engine.settings.declare import DEPLOYED, setting, whole

CHECKOUT = Path(__file__).resolve().parent.parent.parent

SECRET_BYTES = (1, 64)
"""Least: what the embedded run may have; most: the longest key that BLAKE2b takes."""
DEPLOYED_SECRET_BYTES = (16, 64)
"""Of a deployment: fewer could be found by trying, and with the key so could every number behind a hash."""

DEMO: Final = {"key": "touchpoint-demo-key", "salt": "touchpoint-demo-salt"}
"""Public, so they protect nobody: good for the embedded run only."""


class HouseSettings(BaseModel):
    """Secrets, numbers of people, partitions, folders."""

    key: SecretStr = setting(
        SecretStr(DEMO["key"]),
        "a secret of 1 to 64 bytes (against Kafka: 16 to 64)",
        "Keys the hash that turns an IMSI, MSISDN or opaque id into a subscriber key. Set it before the "
        "first record: another key makes every subscriber a stranger.",
    )
    salt: SecretStr = setting(
        SecretStr(DEMO["salt"]),
        "a secret of 1 to 64 bytes (against Kafka: 16 to 64)",
        "Keys decision ids, holdout and A/B shares. Another salt draws other control groups.",
    )
    home_cc: str = setting(
        "86",
        "the digits of a country calling code (1 to 3, the first not 0)",
        "Country calling code that numbers without one belong to.",
        pattern=r"^[1-9][0-9]{0,2}$",
    )
    partitions: int = whole(
        4, 1, 1024, "Partitions of the log, one lane each. Decisions do not depend on it."
    )
    batch_size: int = whole(
        500, 1, 5000, "Records a lane reads and folds at a time. Decisions do not depend on it."
    )
    refusals_every: int = whole(
        1,
        1,
        1_000_000,
        "Of refusals by `valid` and `who.*`, of each rule and reason, every how many-th is written; all are "
        "counted. 1 writes them all.",
        ("run", "engine"),
    )
    rules: Path = setting(
        CHECKOUT / "rules",
        "a folder with policy.yaml, catalog/ and rule files",
        "Folder of the rules that `touchpoint run` loads. An engine on Kafka takes its rules from the log.",
        ("run",),
    )
    out: Path = setting(
        Path("out"),
        "a folder that can be written",
        "Folder for what the embedded run writes (messages, decisions, dead letters), and for the file "
        "channel of a dispatcher; made when missing.",
        ("run", "dispatcher"),
    )
    demo_secrets: Literal["yes", "no"] = setting(
        "no",
        "yes or no",
        "`yes`: run on Kafka with the public demo key and salt, to try things out with made-up people.",
        DEPLOYED,
    )

    @field_validator("key", "salt")
    @classmethod
    def _fits_the_hash(cls, secret: SecretStr) -> SecretStr:
        least, most = SECRET_BYTES
        if not least <= len(secret.get_secret_value().encode()) <= most:
            raise ValueError("wrong length")
        return secret

    @property
    def key_bytes(self) -> bytes:
        """The key as BLAKE2b takes it."""
        return self.key.get_secret_value().encode()

    @property
    def salt_bytes(self) -> bytes:
        """The salt as BLAKE2b takes it."""
        return self.salt.get_secret_value().encode()
