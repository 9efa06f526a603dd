"""`touchpoint schema`: the JSON Schema of records, or the AsyncAPI document of all topics."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from engine.asyncapi import document
from engine.cli.console import say, unwritable
from engine.errors import InputError
from engine.schema import Schema, intake_schema, log_schema
from engine.topics import topics


class Shape(Enum):
    """The two shapes of a record."""

    intake = "intake"
    log = "log"


def command(
    shape: Annotated[
        Shape | None,
        typer.Argument(
            help="intake: what a feed brings; log: what the events log holds, nobody named in it."
        ),
    ] = None,
    asyncapi: Annotated[
        bool,
        typer.Option(
            "--asyncapi", help="Write topics and messages of the Kafka deployment as AsyncAPI 3.0 instead."
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write here, not to stdout.")] = None,
) -> None:
    """Write the JSON Schema (2020-12) of records, generated from the one place that defines their kinds."""
    text = orjson.dumps(_asked(shape, asyncapi), option=orjson.OPT_INDENT_2).decode()
    if out is None:
        say(text)
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(out, "a file", error) from None


def _asked(shape: Shape | None, asyncapi: bool) -> Schema:
    """Return the one that is asked for; it has to be exactly one."""
    if asyncapi and shape is None:
        return document(topics())
    if shape is None or asyncapi:
        raise InputError("schema", "one of intake, log, --asyncapi", "two of them" if asyncapi else "none")
    return intake_schema() if shape is Shape.intake else log_schema()
