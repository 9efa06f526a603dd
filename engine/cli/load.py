"""`touchpoint load`: profiles, consents and opt-outs of a file into the log of a deployment."""

from __future__ import annotations

import asyncio
import secrets
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from connectors.kafka_bindings import KafkaBindings
from connectors.kafka_inlet import KafkaInlet
from connectors.lines import Lines
from connectors.redis_optouts import RedisOptOuts
from connectors.redis_secrets import wrong_secrets
from engine.cli.console import Advance, note, progress, say, table
from engine.cli.inputs import lines_in
from engine.deployment.clients import kafka_options, redis_client
from engine.deployment.common import key_of, now_us
from engine.errors import SettingsError
from engine.identity import Identity
from engine.loading import Loader
from engine.refusals import Refusal, shown_name
from engine.settings import Settings, load_settings, require

Kind = Literal["profiles", "consents", "optouts"]
_SHOWN = 20
"""Refused lines shown of a load; all of them are dead letters. A dry run shows them all."""


def command(
    kind: Annotated[Kind, typer.Argument(metavar="profiles|consents|optouts", help="What the file holds.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Lines, plain or gzip.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check every line, report every mistake, write nothing.")
    ] = False,
) -> None:
    """Load a file into the log: profiles, consents given or withdrawn, numbers that opt out.

    profiles: JSON lines as for replay. consents: JSON lines with imsi, msisdn or subscriber, and consent; or
    columns of these names with a header, the purposes as columns. optouts: one number per line, or columns
    with a header one of which is msisdn. Once it has ended all is durable; loading a file again does no harm.

    Exit code 0: all loaded; 1: lines were refused, the others are loaded; 2: a setting or the file is wrong,
    or Kafka or Redis can't be reached.
    """
    settings = load_settings()
    if not dry_run:
        require(settings, "kafka_bootstrap", *(() if kind == "profiles" else ("redis_url",)))
    total = lines_in([file]) if sys.stderr.isatty() else None
    with progress("checking" if dry_run else "loading", total) as advance:
        loader = asyncio.run(_load(settings, kind, file, dry_run, advance))
    counts = loader.counts
    rows = [("lines", counts["lines"]), ("records", counts["records"]), ("refused", counts["refused"])]
    if kind != "profiles":
        rows.append(("numbers opted out", counts["opted_out"]))
    table(("checked, nothing written" if dry_run else "loaded", "number"), rows)
    if counts["refused"]:
        raise typer.Exit(1)


async def _load(settings: Settings, kind: Kind, file: Path, dry_run: bool, advance: Advance) -> Loader:
    identity = Identity(settings.key_bytes, settings.home_cc)
    inlet = optouts = None
    async with AsyncExitStack() as stack:
        if not dry_run:
            options, prefix = kafka_options(settings), settings.topic_prefix
            # Loads may run beside each other: each is a source of its own, which leaves nothing behind.
            inlet = KafkaInlet(options, prefix, f"load-{secrets.token_hex(8)}", settings.partitions)
            stack.push_async_callback(inlet.close)
            bindings = KafkaBindings(options, prefix)
            stack.push_async_callback(bindings.close)
            await bindings.load(identity)
            if kind != "profiles":
                client = redis_client(settings)
                stack.push_async_callback(client.aclose)
                if wrong := await wrong_secrets(client, key_of(settings)):
                    raise SettingsError(wrong)
                optouts = RedisOptOuts(client, replicas=settings.redis_wait)
        name = shown_name(file.name, identity.key)
        loader = Loader(kind, name, identity, now_us, inlet, optouts)
        shown = 0

        def on_refusal(refusal: Refusal) -> None:
            nonlocal shown
            shown += 1
            if dry_run or shown <= _SHOWN:
                say(f"{refusal.position}: {refusal.detail}")
            elif shown == _SHOWN + 1:
                note(f"more than {_SHOWN} lines were refused: the topic of dead letters has them all")

        loader.on_refusal = on_refusal
        lines = Lines(file, loader.intake, source=name, name=name)
        await loader.run(iter(lines), lambda number: advance(number, f"{number:,} lines"))
        return loader
