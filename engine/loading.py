"""Loads: files of profiles, consents and opt-outs become records of the log, all or with every mistake named.

    profiles    JSON lines as `replay --profiles` takes them (semantics.md 6)
    consents    JSON lines {"subscriber" | "msisdn" | "imsi", "consent": {PURPOSE: true or false}}, or columns
                with a header: imsi, msisdn, subscriber, marketing, profiling, location
    optouts     a number per line, or a header and columns, one of them msisdn

Lists and tables of other shapes come by a map (`connectors.loads`), complaints only so; what becomes of a
row is the same.

A number that opts out does so under its own key and under the key it is bound to, and its keyed hash goes
into the set that the dispatcher asks: so it holds whichever way the number is known later. That set is
written before the log: a load that is cut off has silenced too many, never too few, and may be repeated.

How far a load has come is written with its records. One that was cut off and is started again goes on there,
so every row is applied once; one that has ended leaves nothing, or what the next one goes on from.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from engine.collect import VALUE_AT_MOST, spread
from engine.errors import InputError
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.ports import Inlet, OptOuts
from engine.refusals import Bad, Refusal, dead_letter, describe, quote, redact

PURPOSES = ("marketing", "profiling", "location")
IDENTITIES = ("imsi", "msisdn", "subscriber")
BATCH = 2_000
"""Lines of one step."""
STAGE = "load"
FEWEST_DIGITS = 9
"""Of a number that opts out, with its country code: a shorter one is a short code, or a piece of one."""
_CALCULATED = re.compile(r"^\+?[0-9]+\.0$")
"""A number that went through a spreadsheet: without the point it would be another one."""
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_SEPARATORS = ",;\t|"


@dataclass(slots=True)
class Loaded:
    """What one line becomes."""

    events: list[Event] = field(default_factory=list)
    opted: list[str] = field(default_factory=list)
    """Keyed hashes of numbers, and subscriber keys, that opt out: the first tells one from others."""
    given: list[str] = field(default_factory=list)
    """Keyed hashes of numbers, and subscriber keys, whose consent to marketing is given."""


class LineReader(Protocol):
    """Turns lines, or rows of cells, into what they become."""

    def take(self, number: int, line: Any, position: str, t: int) -> Loaded | None:
        """Take line `number` (from 1) at time `t` (µs); None: a header, or refused by the intake."""
        ...


class Rows(Protocol):
    """What is loaded, in an order that stays: lines, or rows of cells."""

    head: tuple[int, bytes] | None
    """The first line, if reading goes on behind it and it may name columns."""

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """Yield (number from 1, line or row)."""
        ...

    def place(self) -> bytes:
        """Return where to go on after the row given last; nothing if that can't be."""
        ...

    def go_on(self, place: bytes) -> int:
        """Go on from a place; return the number of the last row before it. Raise InputError if it is none."""
        ...

    def end(self) -> bytes:
        """Return what to keep once all is loaded, for the next load to go on from; nothing if it is done."""
        ...


class ProfileLines:
    """Reads lines of profiles."""

    def __init__(self, intake: Intake, source: str) -> None:
        self._intake = intake
        self._source = source

    def take(self, number: int, line: bytes, position: str, t: int) -> Loaded | None:
        """Take a line as a `profile.update`."""
        event = self._intake.profile_line(line, self._source, position, t)
        return None if event is None else Loaded([event])


class Columns:
    """The columns of a file with a header.

    `known`: names they may have, None = any; `needed`: groups of which one name each has to be there. Raises
    InputError for another header.
    """

    def __init__(
        self, header: str, position: str, known: Sequence[str] | None, *needed: Sequence[str]
    ) -> None:
        self._separator = max(_SEPARATORS, key=header.count)
        self.names = [name.lower() for name in self._cells(header)]
        unknown = known is not None and not set(self.names) <= set(known)
        if unknown or not all(set(group) & set(self.names) for group in needed):
            wanted = " and ".join(" or ".join(group) for group in needed)
            others = "" if known is None else " and nothing else"
            raise InputError(position, f"a header with {wanted}{others}", redact(header))

    def read(self, line: str) -> dict[str, str]:
        """Return what stands in the columns of a line, empty ones left out; raise `Bad` for another width."""
        cells = self._cells(line)
        if len(cells) != len(self.names):
            raise Bad(f"{len(self.names)} columns", str(len(cells)), "columns", "columns")
        return {name: cell for name, cell in zip(self.names, cells, strict=True) if cell}

    def _cells(self, line: str) -> list[str]:
        return [cell.strip().strip('"').strip() for cell in line.split(self._separator)]


class HeadedLines(ABC):
    """Lines whose first one may name columns; a line that is `Bad` is refused with its position."""

    def __init__(self, intake: Intake, source: str) -> None:
        self._intake = intake
        self._source = source
        self._columns: Columns | None = None
        self._begun = False

    def take(self, number: int, line: bytes, position: str, t: int) -> Loaded | None:
        """Take a line; None for the one with the names, and for one that was refused."""
        try:
            if not self._begun:
                self._begun = True
                self._columns = self._head(line, position)
                if self._columns is not None:
                    return None
            return self._take(line, position, t)
        except Bad as bad:
            detail = f"{bad.field}: expected {bad.expected}, was {bad.was or 'nothing'}"
            self._intake.refuse(bad.reason, detail, self._source, position, line)
            return None

    @abstractmethod
    def _head(self, line: bytes, position: str) -> Columns | None:
        """Read the first line as names of columns; None if it is a line like others."""

    @abstractmethod
    def _take(self, line: bytes, position: str, t: int) -> Loaded | None:
        """Take a line; raise `Bad` if it can't be."""


class ConsentLines(HeadedLines):
    """Reads lines of consents as `consent.change`: JSON, or columns if the first line is no object."""

    def _head(self, line: bytes, position: str) -> Columns | None:
        if line.lstrip().startswith(b"{"):
            return None
        return Columns(_text(line), position, (*IDENTITIES, *PURPOSES), IDENTITIES, PURPOSES)

    def _take(self, line: bytes, position: str, t: int) -> Loaded | None:
        given = self._json(line, position) if self._columns is None else self._row(self._columns, line)
        if given is None:
            return None
        return consent(self._intake, given, self._source, position, t)

    def _json(self, line: bytes, position: str) -> dict[str, Any] | None:
        try:
            given = orjson.loads(line)
        except orjson.JSONDecodeError:
            self._intake.read(line, self._source, position)  # which says what is wrong with it
            return None
        if given.__class__ is not dict:
            raise Bad("an object", describe(given), field="line")
        for name in given:
            if name not in IDENTITIES and name != "consent":
                raise Bad("imsi, msisdn, subscriber and consent", quote(name), field="names")
        consent = given.get("consent")
        if consent.__class__ is not dict or not consent:
            raise Bad("an object of purposes", describe(consent), field="consent")
        for name, value in consent.items():
            if name not in PURPOSES:
                raise Bad(", ".join(PURPOSES), quote(name), field="consent")
            if value.__class__ is not bool:
                raise Bad("true or false", describe(value), field=f"consent.{name}")
        return dict(given)

    def _row(self, columns: Columns, line: bytes) -> dict[str, Any] | None:
        cells = columns.read(_text(line))
        consent: dict[str, bool] = {}
        for purpose in PURPOSES:
            if purpose in cells:
                said = _WORDS.get(cells[purpose].lower())
                if said is None:
                    raise Bad("true, false, yes, no, 1 or 0", quote(cells[purpose]), "value", purpose)
                consent[purpose] = said
        if not consent:
            raise Bad("a value for marketing, profiling or location", "none", field="consent")
        return {**{name: cells[name] for name in IDENTITIES if name in cells}, "consent": consent}


class OptOutLines(HeadedLines):
    """Reads lines of numbers that opt out, under whatever key each is or will be known."""

    def _head(self, line: bytes, position: str) -> Columns | None:
        text = _text(line)
        if not any(character.isalpha() for character in text):
            return None
        return Columns(text, position, None, ("msisdn",))

    def _take(self, line: bytes, position: str, t: int) -> Loaded:
        text = _text(line)
        given = text if self._columns is None else self._columns.read(text).get("msisdn", "")
        return opt_out(self._intake.identity, given.strip().strip('"'), self._source, position, t)


READERS: Mapping[str, Callable[[Intake, str], LineReader]] = {
    "profiles": ProfileLines,
    "consents": ConsentLines,
    "optouts": OptOutLines,
}
"""What can be loaded."""


class Loader:
    """Takes lines in steps: first whoever opts out, then the log, then whoever opts in again.

    `reader`: one of `READERS` by name, or another; `source`: the name of the file; `inlet`: None for a dry
    run, which writes nothing. Everything is durable once `run` returns. Raises `LogError` or `StoreError` if
    it can't be, and `InputError` where the file is damaged; repeating it then goes on where it was.
    """

    def __init__(
        self,
        reader: str | Callable[[Intake, str], LineReader],
        source: str,
        identity: Identity,
        wall: Callable[[], int],
        inlet: Inlet | None = None,
        optouts: OptOuts | None = None,
        *,
        batch: int = BATCH,
    ) -> None:
        self.counts: Counter[str] = Counter()
        """`lines` that hold a row: each is loaded or `refused`; `headers` beside them; `records` written, of
        one line maybe two; `opted_out` numbers."""
        self.on_refusal: Callable[[Refusal], None] = lambda _: None
        """Hears of each refused line once its dead letter is durable."""
        self.on_loaded: Callable[[int, Loaded], None] = lambda _number, _loaded: None
        """Hears of each good line: its number, and what it becomes."""
        self.went_on = 0
        """Number of the line behind which a load goes on that was cut off; 0: it began anew."""
        self._refusals: list[Refusal] = []
        self.intake = Intake(identity, on_refused=self._refusals.append, hides_ids=True)
        make = READERS[reader] if isinstance(reader, str) else reader
        self._reader = make(self.intake, source)
        self._source = source
        self._inlet = inlet
        self._optouts = optouts
        self._wall = wall
        self._batch = batch
        self._kept: bytes | None = None
        """What is kept of this source: how far it was loaded."""

    async def run(self, rows: Rows, on_step: Callable[[int], None], *, anew: bool = False) -> None:
        """Load all rows; `on_step` hears the number of the row that was reached. `anew`: never go on."""
        self._kept = None if self._inlet is None else await self._inlet.resume()
        if self._kept and not anew:
            self.went_on = rows.go_on(self._kept)
            if rows.head is not None:  # it may name columns; what it becomes is in the log
                first, line = rows.head
                self._reader.take(first, line, f"{self._source}:{first}", self._wall())
                self._refusals.clear()
        taken: list[Loaded] = []
        number = self.went_on
        try:
            for number, row in rows:
                position = f"{self._source}:{number}"
                refused = len(self._refusals)
                loaded = self._reader.take(number, row, position, self._wall())
                if loaded is None and len(self._refusals) == refused:
                    self.counts["headers"] += 1
                if loaded is not None and self._fits(loaded, row, position):
                    taken.append(loaded)
                    self.on_loaded(number, loaded)
                if len(taken) + len(self._refusals) >= self._batch:
                    await self._write(taken, rows.place())
                    taken = []
                    on_step(number)
        except InputError:  # what was read before the damage counts, and its mistakes are told
            await self._write(taken, rows.place())
            raise
        await self._write(taken, rows.end())
        on_step(number)

    def _fits(self, loaded: Loaded, line: Any, position: str) -> bool:
        size = max(len(orjson.dumps(event.fields)) for event in loaded.events)
        if size > VALUE_AT_MOST:
            detail = f"expected at most {VALUE_AT_MOST} bytes in the log, was {size}"
            raw = line if line.__class__ is bytes else "a row of cells"
            self.intake.refuse("size", detail, self._source, position, raw)
        return size <= VALUE_AT_MOST

    async def _write(self, taken: list[Loaded], place: bytes) -> None:
        now = self._wall()
        events = [event for loaded in taken for event in loaded.events]
        opted, given = dict[str, int](), dict[str, int]()
        for loaded in taken:
            for name in loaded.opted:
                opted[name] = loaded.events[0].t
                given.pop(name, None)
            given.update((name, loaded.events[0].t) for name in loaded.given)
        if self._inlet is not None:
            if opted and self._optouts is not None:
                await self._optouts.add(opted)
            partitions = self._inlet.partitions
            batch = [pair for event in events for pair in spread(event, partitions)]
            origin = {"file": self._source}
            dead = [dead_letter(refusal, STAGE, now, origin) for refusal in self._refusals]
            if batch or dead or place != (self._kept or b""):
                await self._inlet.append(batch, place, dead)
                self._kept = place
            if given and self._optouts is not None:
                await self._optouts.release(given)
        # those too long to be read are among the refused, and no rows ever came of them
        self.counts["lines"] += len(taken) + len(self._refusals)
        self.counts["records"] += len(events)
        self.counts["opted_out"] += len({loaded.opted[0] for loaded in taken if loaded.opted})
        self.counts["refused"] += len(self._refusals)
        for refusal in self._refusals:
            self.on_refusal(refusal)
        self._refusals.clear()


def consent(intake: Intake, given: dict[str, Any], source: str, position: str, t: int) -> Loaded | None:
    """Return what consents become; `given`: identity and `consent`, as in a record. None: refused."""
    numbers = [given.get("msisdn"), given.get("subscriber")]
    event = intake.record({"kind": "consent.change", "t": t, **given}, source, position)
    if event is None:
        return None
    loaded = Loaded([event])
    marketing = event.fields["consent"].get("marketing")
    if marketing is not None:
        whose = [event.key, *own_keys(intake.identity, *numbers)]
        if marketing:
            loaded.given = whose
        else:
            loaded.opted = whose
    return loaded


def opt_out(identity: Identity, given: str, source: str, position: str, t: int) -> Loaded:
    """Return what a number that opts out becomes; raise `Bad` if it is none."""
    calculated = _CALCULATED.match(given)
    e164 = identity.e164(given)
    if e164 is None or calculated or len(e164) - 1 < FEWEST_DIGITS:
        expected = "a number: + and E.164 digits, or a national one"
        was = f"{len(given)} characters" + (", .0 at the end" if calculated else "")
        raise Bad(expected, was, "identity", "msisdn")
    own, bound = identity.hash_number(e164), identity.bound(e164)
    keys = [own] if bound is None else [own, bound]
    return Loaded([_opt_out(key, t, source, position) for key in keys], opted=[own])


def whole_digits(name: str, given: str) -> str:
    """Return an identity as given; raise `Bad` if a spreadsheet calculated with it: digits may be others."""
    if _CALCULATED.match(given):
        raise Bad("digits", f"{len(given)} characters, .0 at the end", "identity", name)
    return given


def own_keys(identity: Identity, msisdn: object, subscriber: object) -> list[str]:
    """Return the own key of the number that a line names, whatever it is bound to; empty if it names none."""
    given = msisdn or subscriber
    if not isinstance(given, str) or not (msisdn or given.startswith("+")):
        return []
    e164 = identity.e164(given)
    return [] if e164 is None else [identity.hash_number(e164)]


def _opt_out(key: str, t: int, source: str, position: str) -> Event:
    fields: dict[str, Any] = {"kind": "consent.change", "t": t, "consent": {"marketing": False}}
    fields.update(subscriber_key=key, source=source)
    return Event("consent.change", t, key, fields, source=source, position=position)


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise Bad("UTF-8", f"not from byte {error.start}", "utf8", "line") from None
