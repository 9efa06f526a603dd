"""`touchpoint schema`: JSON Schema of records or of rule files, or the AsyncAPI document of all topics."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from engine.asyncapi import document
from engine.cli.console import note, say, unwritable
from engine.errors import InputError
from engine.language.editor.files import SHAPES, schema, settings
from engine.language.editor.vocabulary import Vocabulary, vocabulary
from engine.language.loader import load_names
from engine.schema import Schema, intake_schema, log_schema
from engine.settings import load_settings
from engine.topics import topics

_RECORDS: Final = {"intake": intake_schema, "log": log_schema}
_ALL: Final = "rules"
_SETTINGS: Final = "vscode.json"


class Shape(Enum):
    """What there is a schema of: shapes of a record, all files that rule authors write, each kind of them."""

    intake = "intake"
    log = "log"
    rules = "rules"
    rule = "rule"
    tests = "tests"
    policy = "policy"
    fields = "fields"
    places = "places"
    products = "products"
    numbers = "numbers"


def command(
    shape: Annotated[
        Shape | None,
        typer.Argument(
            help="intake: what a feed brings; log: what the events log holds, nobody named in it. For "
            "editors: rules: all that follow, into a folder; rule, tests, policy, fields, places, products, "
            "numbers: one kind of file.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Folder of rules whose names editors offer. Default: rules."),
    ] = None,
    catalog: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with policy.yaml and catalog/; else DIR itself, or the nearest folder above it.",
        ),
    ] = None,
    asyncapi: Annotated[
        bool,
        typer.Option(
            "--asyncapi", help="Write topics and messages of the Kafka deployment as AsyncAPI 3.0 instead."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write to this file, of rules into this folder, not to stdout."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing: exit with 1 if what stands at --out is not up to date."),
    ] = False,
) -> None:
    """Write JSON Schema: of records (2020-12), or, for editors, of all that rule authors write (draft 7).

    Each is generated from the one place that defines it. Exit code 1: --check found something out of date.
    """
    name = None if shape is None else shape.value
    if asyncapi is (name is not None):
        wanted = f"one of {', '.join((*_RECORDS, _ALL, *SHAPES))}, --asyncapi"
        raise InputError("schema", wanted, "two of them" if asyncapi else "none")
    if name not in (_ALL, *SHAPES) and (folder or catalog):
        raise InputError("DIR", "none: only schemas for editors need rules", str(folder or catalog))
    if out is None and (check or name == _ALL):
        raise InputError("--out", "a folder for the schemas" if name == _ALL else "the file to check", "none")
    if name == _ALL:
        assert out is not None
        _deliver(_for_editors(folder or Path(_ALL), catalog, out), check)
        return
    text = _text(_asked(name, folder or Path(_ALL), catalog))
    if out is None:
        say(text.removesuffix("\n"))
    else:
        _deliver({out: text}, check)


def _asked(name: str | None, folder: Path, catalog: Path | None) -> Schema:
    if name is None:
        return document(topics())
    if name in _RECORDS:
        return _RECORDS[name]()
    return schema(name, _vocabulary(folder, catalog))


def _vocabulary(folder: Path, catalog: Path | None) -> Vocabulary:
    known = load_names(folder, catalog=catalog, home_cc=load_settings().home_cc)
    return vocabulary(known.names, known.policy, known.rules)


def _for_editors(folder: Path, catalog: Path | None, out: Path) -> dict[Path, str]:
    """Return every file of `out`: the schemas, and the setting that says which is for which files."""
    known = _vocabulary(folder, catalog)
    files = {out / f"{name}.json": _text(schema(name, known)) for name in SHAPES}
    files[out / _SETTINGS] = _text(
        settings(_seen(folder, folder.resolve().name), _seen(out, str(out.resolve())))
    )
    return files


def _seen(folder: Path, otherwise: str) -> str:
    """Write a folder as it is seen from here, the editor's workspace; if it is outside, as `otherwise`."""
    relative = Path(os.path.relpath(folder)).as_posix()
    return otherwise if relative.startswith("..") else relative


def _text(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _deliver(files: dict[Path, str], check: bool) -> None:
    """Write files, or say which of those that stand there are not these."""
    if check:
        old = [path for path, text in files.items() if not _holds(path, text)]
        for path in old:
            note(f"{path} is not up to date")
        if old:
            raise typer.Exit(1)
        return
    for path, text in files.items():
        try:
            if len(files) > 1:
                path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise unwritable(path, "a file", error) from None


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False
