"""`touchpoint pcap`: what a packet capture holds, as records and as a table of counts."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import orjson
import typer

from connectors.pcap.procedures import Record
from connectors.pcap.records import Packets
from engine.cli.console import note, say, table
from engine.errors import InputError
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Refusal, shown_name
from engine.settings import load_settings

LEFT = 1
_TOLD = 10
"""Refusals that are told one by one; the table counts all."""


def command(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Captures: pcap or pcapng, plain or gzip.")
    ],
    show: Annotated[
        bool, typer.Option("--show", help="With IMSI, IMEI and phone numbers: as the door hands them on.")
    ] = False,
    counts: Annotated[bool, typer.Option("--counts", help="Only the table, on stdout.")] = False,
) -> None:
    """Print the records of packet captures as JSON lines, and on stderr what the captures hold.

    Records are as the log would have them: whose they are only as a key, of long phone numbers the keyed
    hash; with --show as the door reads them. `procedure` and `frame` stand beside their fields. Needs the
    extra `pcap`.

    Exit code 0: done; 1: records or messages were refused, or a file is cut off; 2: a file can't be read.
    """
    settings = load_settings()
    look = Look(Identity(settings.key_bytes, settings.home_cc), show=show)
    for file in files:
        for line in look.lines(file):
            if not counts:
                say(line)
    with redirect_stdout(sys.stdout if counts else sys.stderr):
        table(("in the captures", "count"), look.rows())
    for refusal in look.told:
        note(f"{refusal.position}: {refusal.reason}: {refusal.detail}")
    if look.refused > len(look.told):
        note(f"and {look.refused - len(look.told)} more were refused")
    if look.refused:
        raise typer.Exit(LEFT)


class Look:
    """Reads captures, one after the other."""

    def __init__(self, identity: Identity, *, show: bool = False) -> None:
        self.told: list[Refusal] = []
        """The first refusals."""
        self._counts: Counter[str] = Counter()
        self._records: Counter[str] = Counter()
        self._show = show
        self._intake = Intake(identity, on_refused=self._on_refused)

    @property
    def refused(self) -> int:
        """How many records and messages were refused."""
        return self._intake.refused.total()

    def lines(self, file: Path) -> Iterator[str]:
        """Yield the records of a capture as JSON lines; a cut one's, then its refusal.

        Raises InputError for a file that is none, or can't be read at all.
        """
        name = shown_name(file.name, self._intake.identity.key)
        packets = Packets(file, self._intake, name=name)
        try:
            for _, records in packets:
                for record in records:
                    line = self._line(record, name)
                    if line:
                        yield line
        except InputError as error:
            if not packets.number:
                raise
            detail = f"expected {error.expected}, was {error.was}"
            self._intake.refuse("file", detail, name, f"{name}:{packets.number + 1}", "")
        self._counts += packets.counts

    def rows(self) -> list[tuple[str, int]]:
        """Return the table: what the captures hold, the records made of it, what was refused."""
        rows = [(name, self._counts[name]) for name in sorted(self._counts, key=_order)]
        rows += [(f"record {name}", count) for name, count in sorted(self._records.items())]
        return rows + [(f"refused: {why}", count) for why, count in sorted(self._intake.refused.items())]

    def _line(self, record: Record, name: str) -> str:
        given = dict(record.fields)
        procedure = given["procedure"]
        event = self._intake.record(record.fields, given["source"], f"{name}:{record.frame}")
        if event is not None:
            self._records[f"{event.kind} ({procedure})"] += 1
        elif not self._show:
            return ""
        fields = given if event is None or self._show else event.fields
        shown = {**fields, "procedure": procedure, "frame": record.frame}
        return orjson.dumps(shown).decode()

    def _on_refused(self, refusal: Refusal) -> None:
        if len(self.told) < _TOLD:
            self.told.append(refusal)


def _order(name: str) -> tuple[bool, str]:
    return not name.startswith("frames"), name
