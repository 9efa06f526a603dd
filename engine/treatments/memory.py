"""What steps remember about subscribers: bounded, forgotten after a time, the same after a restart.

Nothing in it names a person: keys are keyed hashes, values are times, hashes, TACs, PLMNs. It is shared by
all sources of a collector, for a subscriber is seen by several.

It is too large for the checkpoint. So a *shelf* keeps it, and the checkpoint only says which `mark` of the
shelf belongs to it. The shelf can go back a few marks: a crash between the two costs nothing, the rows that
are read again find the memory as it was. A memory that is gone costs what is derived from it (a change that
nobody remembers is no change), never a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol

from engine.treatments.by_age import ByAge

Value = tuple[Any, ...]
"""Text and whole numbers; first of all when it was last of use, µs."""
Changes = Mapping[str, Mapping[str, Value | None]]
"""By memory and key; None: forgotten."""

USED_EVERY = 8
"""A use is noted once in this part of the time to live: to note each would be a write per record. So an entry
may go earlier by such a part after its last use, never later."""
MARKS_KEPT = 16
"""Marks that a shelf can go back: the last step may not have been committed, nor a few before it."""

IN_A_MARK = 1 << 20
"""Changes of one memory in a mark, about: in which order they came is kept up to so many."""


class Shelf(Protocol):
    """Where memories are kept. Order of calls: `go_back`, then `save` as often as wanted."""

    def go_back(self, mark: int) -> Iterable[tuple[str, str, Value]]:
        """Undo what was saved after a mark and yield (memory, key, value) of all there is, used longest ago
        first. One that never came so far yields what it has; of mark 0 there is nothing.
        """
        ...

    def save(self, mark: int, changes: Changes) -> None:
        """Keep changes under a mark, one greater than the last one, all or nothing."""
        ...


class Memory(ByAge[Value]):
    """One table: key -> value, the one used longest ago out first. Made by `Memories.memory`."""

    __slots__ = ("at_most", "changed", "counts", "name", "ttl")

    def __init__(self, name: str, ttl: int, at_most: int) -> None:
        super().__init__()
        self.name = name
        self.ttl = ttl
        """µs after the use noted last that an entry is forgotten, by the times of records (`USED_EVERY`)."""
        self.at_most = at_most
        self.counts: Counter[str] = Counter()
        """`pushed_out`: entries that gave way to others; `lapsed`: that were too old when asked for."""
        self.changed: dict[str, Value | None] = {}
        """Since the last mark."""

    def get(self, key: str, now: int) -> Value | None:
        """Return what is known at `now` (µs), the time of a record; None: nothing, or not any more."""
        value = self._held.get(key)
        if value is None:
            return None
        used: int = value[0]
        if now - used <= self.ttl:
            return value
        self.counts["lapsed"] += 1  # it stays until it is replaced or gives way: a wrong time takes nothing
        return None

    def put(self, key: str, value: Value) -> None:
        """Remember; if there are too many, what was used longest ago gives way."""
        if len(self._held) >= self.at_most and key not in self._held:
            self.counts["pushed_out"] += 1
            self.forget(self._first())
        self._use(key, value)
        changed = self.changed
        if key in changed:  # changes are in the order of their use, too
            del changed[key]
        changed[key] = value

    def use(self, key: str, value: Value, now: int) -> None:
        """Take in that an entry was of use at `now`: it stays."""
        used: int = value[0]
        if now - used > self.ttl // USED_EVERY:
            self.put(key, (now, *value[1:]))

    def forget(self, key: str) -> None:
        """Remember no longer."""
        if self._remove(key):
            self.changed[key] = None

    def items(self) -> Iterable[tuple[str, Value]]:
        """All there is, used longest ago first."""
        return self._held.items()

    def begin(self) -> None:
        """Forget everything, as at the start."""
        self._clear()
        self.changed.clear()

    def read_in(self, key: str, value: Value) -> None:
        """Take an entry from the shelf, used later than those before it.

        If the bound is lower now, what was used longest ago gives way, on the shelf with the next mark.
        """
        if len(self._held) >= self.at_most:
            self.counts["pushed_out"] += 1
            self.forget(self._first())
        self._held[key] = value


class Memories:
    """All memories of a collector, under one mark.

    Order of calls: `memory` for each step, `restore`, then `pack` once for each checkpoint. Without a shelf
    that outlives the process they are empty after its end.
    """

    name: ClassVar[str] = "memories"

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._shelf: Shelf = MemoryShelf() if shelf is None else shelf
        self._memories: dict[str, Memory] = {}
        self._mark = 0

    def __bool__(self) -> bool:
        """Say whether any step remembers anything."""
        return bool(self._memories)

    @property
    def counts(self) -> Counter[str]:
        """Of all memories, as `MEMORY.DEED`; `MEMORY.entries` is how many there are now."""
        found = Counter(
            {f"{m.name}.{deed}": n for m in self._memories.values() for deed, n in m.counts.items()}
        )
        found.update({f"{name}.entries": len(memory) for name, memory in self._memories.items()})
        return found

    def memory(self, name: str, ttl: int, at_most: int) -> Memory:
        """Return the memory of a name; all who ask for it share it, as whoever asked first wanted it."""
        if name not in self._memories:
            self._memories[name] = Memory(name, ttl, at_most)
        return self._memories[name]

    def forget(self, keys: Iterable[str]) -> None:
        """Forget some subscribers: they asked for it."""
        for key in keys:
            for memory in self._memories.values():
                memory.forget(key)

    def pack(self) -> dict[str, int]:
        """Put what has changed on the shelf; return what the checkpoint has to say about it."""
        changes = {m.name: dict(m.changed) for m in self._memories.values() if m.changed}
        if changes:
            self._shelf.save(self._mark + 1, changes)
            self._mark += 1
            for memory in self._memories.values():
                memory.changed.clear()
        return {"mark": self._mark}

    def restore(self, packed: Mapping[str, Any] | None) -> None:
        """Be as at a checkpoint; None: from the beginning, also if the shelf holds something."""
        self._mark = int((packed or {}).get("mark", 0))
        for memory in self._memories.values():
            memory.begin()
        for name, key, value in self._shelf.go_back(self._mark):
            memory_of = self._memories.get(name)
            if memory_of is not None:
                memory_of.read_in(key, value)


class MemoryShelf:
    """A shelf in memory: it outlives a failure of the log, not the process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[int, Value]] = {}
        """(memory, key) -> (in which order it was used, value)."""
        self._undo: dict[int, dict[tuple[str, str], tuple[int, Value] | None]] = {}

    def go_back(self, mark: int) -> list[tuple[str, str, Value]]:
        """Undo what was saved after a mark."""
        for later in sorted((each for each in self._undo if each > mark), reverse=True):
            for place, was in self._undo.pop(later).items():
                if was is None:
                    self._kept.pop(place, None)
                else:
                    self._kept[place] = was
        if mark == 0:
            self._kept.clear()
        there = sorted(self._kept.items(), key=lambda entry: entry[1][0])
        return [(name, key, value) for (name, key), (_, value) in there]

    def save(self, mark: int, changes: Changes) -> None:
        """Keep changes."""
        undo = self._undo[mark] = {}
        for name, entries in changes.items():
            for number, (key, value) in enumerate(entries.items()):
                undo[name, key] = self._kept.pop((name, key), None)
                if value is not None:
                    self._kept[name, key] = (mark * IN_A_MARK + number, value)
        self._undo.pop(mark - MARKS_KEPT, None)
