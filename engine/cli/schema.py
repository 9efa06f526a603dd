"""`touchpoint schema`: the JSON Schema of records."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from engine.cli.console import say, unwritable
from engine.schema import intake_schema, log_schema


class Shape(Enum):
    """The two shapes of a record."""

    intake = "intake"
    log = "log"


def command(
    shape: Annotated[
        Shape,
        typer.Argument(
            help="intake: what a feed brings; log: what the events log holds, nobody named in it."
        ),
    ],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write here, not to stdout.")] = None,
) -> None:
    """Write the JSON Schema (2020-12) of records, generated from the one place that defines their kinds."""
    schema = intake_schema() if shape is Shape.intake else log_schema()
    text = orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode()
    if out is None:
        say(text)
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(out, "a file", error) from None
