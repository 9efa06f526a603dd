"""What commands are given: rules, times, and the files of events and profiles as one total order."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from connectors.column_map import ColumnMap, load_map
from connectors.jsonl import read_events
from connectors.merge import merge
from connectors.pcap.capture import is_capture
from connectors.pcap.records import read_capture
from connectors.profiles import read_profiles
from connectors.xdr_files import rows
from engine.cli.console import note
from engine.errors import InputError, RulesError
from engine.event import Event
from engine.identity import Identity
from engine.intake import YEAR_2000, YEAR_2100, Intake
from engine.language.loader import Loaded, load_dir
from engine.language.model import RuleSet
from engine.language.suggest import did_you_mean
from engine.language.words import Unreadable, duration
from engine.number_classes import NumberClasses
from engine.paths import is_file
from engine.refusals import Refusal
from engine.settings import Settings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NamedIdentity(Identity):
    """An identity that can say whose key it was: what `--reveal` shows. Holds every subscriber in memory."""

    __slots__ = ("names",)

    def __init__(self, key: bytes, home_cc: str) -> None:
        super().__init__(key, home_cc)
        self.names: dict[str, str] = {}
        """Subscriber key -> 15 IMSI digits, else `+` and E.164 digits, else the feed's own id."""

    def of_imsi(self, imsi: str) -> str | None:
        """Return the key of an IMSI and remember the IMSI."""
        key = super().of_imsi(imsi)
        if key is not None:
            self.names[key] = imsi
        return key

    def of_msisdn(self, msisdn: str) -> str | None:
        """Return the key of an MSISDN and remember the number, unless the IMSI is known."""
        key, number = super().of_msisdn(msisdn), self.e164(msisdn)
        if key is not None and number is not None:
            self.names.setdefault(key, number)
        return key

    def of_subscriber(self, subscriber: str) -> str | None:
        """Return the key of a `subscriber` field and remember it, unless something better is known."""
        key = super().of_subscriber(subscriber)
        if key is not None:
            self.names.setdefault(key, subscriber)
        return key


class Feed:
    """The files of a run: profiles first, then the events of all files in one order (semantics.md 6)."""

    def __init__(
        self,
        settings: Settings,
        columns: ColumnMap | None,
        on_refused: Callable[[Refusal], None] | None = None,
        *,
        named: bool = False,
        classes: NumberClasses | None = None,
    ) -> None:
        make = NamedIdentity if named else Identity
        self.columns = columns
        self.identity = make(settings.key_bytes, settings.home_cc)
        self.intake = Intake(self.identity, on_refused=on_refused, edge=classes)

    def profiles(self, files: Sequence[Path]) -> Iterator[Event]:
        """Yield the profile lines; read them before the first event: they bind IMSI and MSISDN."""
        for file in files:
            yield from read_profiles(file, self.intake)

    def events(self, files: Sequence[Path]) -> Iterator[Event]:
        """Yield the events of all files, merged by the time at their heads."""
        return merge([self._open(file) for file in files])

    def names(self) -> dict[str, str]:
        """Return subscriber key -> identity; empty if the feed is not `named`."""
        return self.identity.names if isinstance(self.identity, NamedIdentity) else {}

    def _open(self, file: Path) -> Iterator[Event]:
        if self.columns is not None:
            return rows(file, self.columns, self.intake)
        if is_capture(file):
            return read_capture(file, self.intake)
        return read_events(file, self.intake)


SENDING: Final = ("R202", "R211", "R303", "R304", "R305", "R306", "R307", "R308", "R402", "R403", "R404")
"""Problems about whether a rule may be sent, not about what it means: approval, wording, house limits."""


def load_rules(path: Path, settings: Settings, catalog: Path | None = None) -> RuleSet:
    """Load a folder of rules to try them on recorded events; raise RulesError if a file has an error.

    Warnings don't stop it, nor do problems that matter only before something is sent: an author replays a
    rule before it is approved. `touchpoint run` takes neither. `catalog`: as for `load_dir`.
    """
    loaded = load_to_try(path, settings.home_cc, catalog)
    if loaded.ruleset is None:
        raise RulesError(loaded.errors)
    if loaded.problems:
        many = f"{len(loaded.problems)} problems" if len(loaded.problems) > 1 else "a problem"
        note(f"the rules have {many}: touchpoint check {path}")
    return loaded.ruleset


def rule_of(rule: str, folder: Path | None, settings: Settings) -> tuple[RuleSet, str]:
    """Find a rule that is given as a file or by name: its set and its name.

    A name is looked up in `folder`, or in that of the settings. A file that is not in `folder` is taken with
    the policy and catalogue of it; a path may also be one within `folder`. Raises `InputError` with the
    nearest name, or `RulesError`.
    """
    file = next((path for path in (Path(rule), (folder or Path()) / rule) if is_file(path)), None)
    if file is not None:
        outside = folder is not None and folder.resolve() not in file.resolve().parents
        ruleset = load_rules(file, settings, folder if outside else None)
        if len(ruleset.rules) != 1:
            raise InputError("RULE", "a file with a rule", rule)
        return ruleset, next(iter(ruleset.rules))
    home = folder or settings.rules
    ruleset = load_rules(home, settings)
    if rule not in ruleset.rules:
        hint = did_you_mean(rule, ruleset.rules)
        raise InputError("RULE", f"a rule file, or a rule of {home}{f' ({hint})' if hint else ''}", rule)
    return ruleset, rule


def load_to_try(path: Path, home_cc: str, catalog: Path | None = None) -> Loaded:
    """Load rules that are not sent; all problems are told, but those of `SENDING` alone leave a set."""
    loaded = load_dir(path, catalog=catalog, home_cc=home_cc)
    if loaded.ruleset is None and all(problem.code in SENDING for problem in loaded.errors):
        return replace(
            load_dir(path, catalog=catalog, home_cc=home_cc, ignore=SENDING), problems=loaded.problems
        )
    return loaded


def column_map(name: str | None) -> ColumnMap | None:
    """Load the map named on the command line; None: the files are canonical JSON lines."""
    return None if name is None else load_map(name)


def length_of_time(option: str, text: str) -> int:
    """Read `30m` or `0` as µs."""
    try:
        return 0 if text == "0" else duration(text)
    except Unreadable:
        raise InputError(option, "0 or a length of time such as 90s, 30m or 2h", text) from None


def since_when(option: str, text: str, timezone: str = "Asia/Shanghai") -> int:
    """Read a length of time as so long ago, anything else as `moment`; µs UTC."""
    try:
        return time.time_ns() // 1_000 - duration(text)
    except Unreadable:
        return moment(option, text, timezone, "30d or 2h (so long ago), ")


def moment(option: str, text: str, timezone: str, others: str = "") -> int:
    """Read ISO time, or µs since 1970, as µs UTC. A time without offset is local in `timezone`.

    `others`: forms that the caller knows besides, for the message.
    """
    expected = f"{others}ISO time such as 2026-09-05T10:00+08:00, or µs since 1970, from 2000 to 2099"
    try:
        if text.isascii() and text.isdecimal() and len(text) > 8:
            found = int(text)
        else:
            read = datetime.fromisoformat(text)
            if read.tzinfo is None:
                read = read.replace(tzinfo=ZoneInfo(timezone))
            found = (read - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise InputError(option, expected, text) from None
    if not YEAR_2000 <= found < YEAR_2100:
        raise InputError(option, expected, text)
    return found


def lines_in(files: Sequence[Path]) -> int | None:
    """Count the lines of files, for a progress bar; None where they can be read only once, or not at all."""
    total = 0
    try:
        for file in files:
            if not file.is_file() or is_capture(file):
                return None
            with file.open("rb") as plain:
                packed = plain.read(2) == b"\x1f\x8b"
            with gzip.open(file) if packed else file.open("rb") as stream:
                while chunk := stream.read(1 << 20):
                    total += chunk.count(b"\n")
    except (OSError, EOFError, zlib.error):
        return None
    return total
