"""A column map, compiled: one row of a file in, the fields of a record out.

A row is split no further than its last column that is looked at. Columns are read one by one (`xdr_values`);
then what is made of several of them: ways in turn, templates and sums. A template over one column that serves
nothing else is read with it, so that a cell's name is looked up by the column's bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import blake2b
from operator import itemgetter
from typing import Any

from connectors.column_map import ColumnMap
from connectors.column_spec import SLOT, ColumnSpec, When
from connectors.xdr_kinds import Kinds
from connectors.xdr_times import Times
from connectors.xdr_values import NUMBERS_AT_MOST, Read, column_reader, converter, kept
from engine.refusals import Bad

Make = Callable[[list[bytes], Mapping[str, Any], Mapping[str, Any]], Any]
"""(columns, fields so far, helpers) -> value or None."""


class RowReader:
    """Reads rows by a map. `passed`: where damage is counted, that its `watch` tells of and
    rows with the time of another (`damaged.t`; `Intake.passed`).
    """

    def __init__(self, columns: ColumnMap, key: bytes, passed: Counter[str]) -> None:
        self.columns = columns
        self._passed = passed
        self._separator = columns.separator.encode()
        self._at_least = columns.columns.at_least
        self._at_most = columns.columns.at_most or 1 << 62
        self._last = max((*columns.used, *columns.id))
        self._enough = min(self._at_least, self._last + 1)
        """So many pieces of a row show that it is wide enough, if no more is asked."""
        self._counts_all = columns.columns.at_most is not None or self._at_least > self._enough
        self._key = _key_of(columns.id)
        self._hash = blake2b(columns.source.encode() + b"\0", digest_size=8, key=key)
        self._watched = tuple(
            (f"damaged.{name}", watch.column - 1, watch.digits) for name, watch in columns.watch.items()
        )
        self._kind = columns.kind if isinstance(columns.kind, str) else None
        self._kinds = None if isinstance(columns.kind, str) else Kinds(columns.kind, columns.filler)
        self.plain: list[tuple[str, int, Read]] = []
        """(field, index from 0, reader): one column each."""
        self.helping: list[tuple[str, int, Read]] = []
        """The same, of helpers."""
        self.made: list[tuple[str, bool, Make]] = []
        """(field or helper, whether it is a helper, maker): what is made of more than one column."""
        self.last: list[tuple[str, int, Read]] = []
        """As `plain`: templates over one column."""
        self.chosen: dict[int, list[tuple[frozenset[bytes], tuple[str, int, Read]]]] = {}
        """Index of a column -> as `plain`, with the texts in it for which a row is asked."""
        self._constants: dict[str, Any] = {}
        self._helped: dict[str, Any] = {}
        self.times = Times(columns)
        self._sort_out()
        self._choices = tuple((index, kept(_choice(entries))) for index, entries in self.chosen.items())
        self._starts = {kind: {"kind": kind, **self._constants} for kind in columns.kinds}

    def _sort_out(self) -> None:
        """Put each field and helper where it is read."""
        columns = self.columns
        folded = _foldable(columns)
        slots = {slot for _, ways in columns.ways() for way in ways for slot in way.slots}
        for name, ways in columns.ways():
            helps = name in columns.helpers
            way = ways[0]
            if name in folded.values():
                continue  # read with its template
            if name in folded:
                self._put(way.when, (name, *self._with_template(name, folded[name])), self.last)
            elif len(ways) > 1 or way.slots or (way.when and (helps or name in slots or not way.column)):
                self.made.append((name, helps, self._maker(name, ways)))
            elif way.column is not None:
                read = column_reader(name, way, columns.utc_offset, columns.filler)
                self._put(way.when, (name, way.column - 1, read), self.helping if helps else self.plain)
            else:
                assert way.constant is not None
                value = converter(way, columns.utc_offset)(way.constant.encode())
                (self._helped if helps else self._constants)[name] = value
        stages = {name: max(way.stage for way in ways) for name, ways in columns.ways()}
        self.made.sort(key=lambda each: stages[each[0]])
        if not self.made and not self.helping:
            self.plain, self.last = [*self.plain, *self.last], []

    def _put(
        self, when: When | None, entry: tuple[str, int, Read], always: list[tuple[str, int, Read]]
    ) -> None:
        if when is None:
            always.append(entry)
        else:
            texts = frozenset(text.encode() for text in when.texts)
            self.chosen.setdefault(when.column - 1, []).append((texts, entry))

    def split(self, line: bytes) -> list[bytes]:
        """Return the columns of a row up to the last that is looked at; raise `Bad` for another width.

        A line with CR in it is a file whose lines end in CR alone: many rows, not one.
        """
        if b"\r" in line:
            raise Bad("lines that end in LF or CR LF", "CR in it", "columns", "columns")
        cells = line.split(self._separator, self._last)
        if len(cells) < self._enough or self._counts_all:
            width = line.count(self._separator) + 1
            if not self._at_least <= width <= self._at_most:
                most = "or more" if self.columns.columns.at_most is None else f"to {self._at_most}"
                raise Bad(f"{self._at_least} {most}", str(width), "columns", "columns")
        return cells

    def read(self, line: bytes) -> dict[str, Any] | None:
        """Return the fields of a row, None for one to be skipped; raise `Bad` for a bad one."""
        cells = self.split(line)
        if self._watched:
            self._watch(cells)
        kind = self._kind if self._kinds is None else self._kinds.of(cells)
        if kind is None:
            return None
        fields: dict[str, Any] = self._starts[kind].copy()
        for name, index, read in self.plain:
            value = read(cells[index])
            if value is not None:
                fields[name] = value
        if self.helping or self.made:
            self._make(cells, fields)
        for name, index, read in self.last:
            value = read(cells[index])
            if value is not None:
                fields[name] = value
        for column, choose in self._choices:
            for name, index, read in choose(cells[column]):
                value = read(cells[index])
                if value is not None:
                    fields[name] = value
        if self.times.asked and self.times.settle(cells, fields):
            self._passed["damaged.t"] += 1
        hashed = self._hash.copy()
        hashed.update(line if self._key is None else b"\0".join(self._key(cells)))
        fields["id"] = hashed.hexdigest()
        return fields

    def _make(self, cells: list[bytes], fields: dict[str, Any]) -> None:
        helped = self._helped.copy()
        for name, index, read in self.helping:
            value = read(cells[index])
            if value is not None:
                helped[name] = value
        for name, helps, make in self.made:
            value = make(cells, fields, helped)
            if value is not None:
                (helped if helps else fields)[name] = value

    def _watch(self, cells: list[bytes]) -> None:
        for name, index, digits in self._watched:
            cell = cells[index].strip()
            if len(cell) != digits or not cell.isdigit():
                self._passed[name] += 1

    # -- compiling -------------------------------------------------------------------------------------------

    def _with_template(self, name: str, helper: str) -> tuple[int, Read]:
        """Return the column of a helper, and a reader of it that gives what a template makes of its value."""
        columns = self.columns
        (way,), (column,) = columns.fields[name], columns.helpers[helper]
        read = column_reader(helper, column, columns.utc_offset, columns.filler)
        pattern, slots = _pattern(way)
        needed = _needed(name, way)

        def write(cell: bytes) -> str | None:
            value = read(cell)
            if value is not None:
                return pattern % ((value,) * len(slots))
            if needed is not None:
                raise needed()
            return None

        assert column.column is not None
        return column.column - 1, kept(write, NUMBERS_AT_MOST)

    def _maker(self, name: str, ways: tuple[ColumnSpec, ...]) -> Make:
        """Return what tries the ways to a value in turn."""
        makers = [(_condition(way.when), self._way(name, way)) for way in ways]
        needed = next((found for way in ways if (found := _needed(name, way)) is not None), None)

        def make(cells: list[bytes], fields: Mapping[str, Any], helped: Mapping[str, Any]) -> Any:
            looked_for = False
            for applies, way in makers:
                if applies is None or cells[applies[0]].strip() in applies[1]:
                    looked_for = True
                    value = way(cells, fields, helped)
                    if value is not None:
                        return value
            if needed is not None and looked_for:
                raise needed()
            return None

        return make

    def _way(self, name: str, way: ColumnSpec) -> Make:
        columns = self.columns
        if way.constant is not None:
            constant = converter(way, columns.utc_offset)(way.constant.encode())
            return lambda cells, fields, helped: constant
        if way.column is not None:
            index = way.column - 1
            # whether it is needed is known when all ways were tried
            read = column_reader(
                name, way.model_copy(update={"required": False}), columns.utc_offset, columns.filler
            )
            return lambda cells, fields, helped: read(cells[index])
        helpers = columns.helpers
        if way.sum is not None:
            terms = tuple((term, term in helpers, factor) for term, factor in way.sum.items())

            def add(cells: list[bytes], fields: Mapping[str, Any], helped: Mapping[str, Any]) -> int | None:
                total = 0
                for term, helps, factor in terms:
                    value = (helped if helps else fields).get(term)
                    if value is None:
                        return None
                    total += value * factor
                return total

            return add
        pattern, slots = _pattern(way)
        places = tuple((slot, slot in helpers) for slot in slots)

        def write(cells: list[bytes], fields: Mapping[str, Any], helped: Mapping[str, Any]) -> str | None:
            values = tuple([(helped if helps else fields).get(slot) for slot, helps in places])
            return None if None in values else pattern % values

        return write


def _choice(entries: list[tuple[frozenset[bytes], tuple[str, int, Read]]]) -> Read:
    """Return a function from a column to what is read of rows with it."""

    def choose(cell: bytes) -> tuple[tuple[str, int, Read], ...]:
        return tuple(entry for texts, entry in entries if cell.strip() in texts)

    return choose


def _key_of(columns: tuple[int, ...]) -> Callable[[list[bytes]], tuple[bytes, ...]] | None:
    """Return what takes the columns of the natural key out of a row; None: the key is the line."""
    if not columns:
        return None
    if len(columns) == 1:
        index = columns[0] - 1
        return lambda cells: (cells[index],)
    return itemgetter(*[index - 1 for index in columns])


def _foldable(columns: ColumnMap) -> dict[str, str]:
    """Return fields that are a template over one helper column, which serves nothing else: with helpers."""
    users: Counter[str] = Counter(
        slot for _, ways in columns.ways() for way in ways for slot in set(way.slots)
    )
    folded = {}
    for name, ways in columns.fields.items():
        way = ways[0]
        if len(ways) > 1 or way.template is None or len(way.slots) != 1:
            continue
        helper = columns.helpers.get(way.slots[0], ())
        if users[way.slots[0]] == 1 and len(helper) == 1 and helper[0].column and helper[0].when is None:
            folded[name] = way.slots[0]
    return folded


def _pattern(way: ColumnSpec) -> tuple[str, tuple[str, ...]]:
    """Return a template for `%`, and its slots in order."""
    assert way.template is not None
    pattern = SLOT.sub("%s", way.template.replace("%", "%%"))
    return pattern, tuple(SLOT.findall(way.template))


def _needed(name: str, way: ColumnSpec) -> Callable[[], Bad] | None:
    """Return what to raise if a value that is required is not there."""
    if not way.required:
        return None
    if way.slots:
        return lambda: Bad(f"values of {' and '.join(way.slots)}", "empty", "type", name)
    return lambda: Bad("a value", "empty", "type", name)


def _condition(when: When | None) -> tuple[int, frozenset[bytes]] | None:
    return None if when is None else (when.column - 1, frozenset(text.encode() for text in when.texts))
