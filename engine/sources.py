"""Several live sources, one time: where the least of them is, and which kinds are missing (semantics.md 1.8).

Each source has a watermark of its own: its greatest `t` so far - its disorder. The ticks of the log follow
the least of the live ones, and never go back. A source that has brought nothing for a while is *down*: it
holds time back no longer, and the ticks name the kinds that only it brings, from the last tick before that
on. When it is back, time waits until it has caught up, and that tick is the first not to name them. When all
are down, time stops.

With one source these are the ticks of `TickMaker`, which derives them here as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.event import Event
from engine.ticks import CONTROL, TickMaker, tick

_NEVER = -1


@dataclass(frozen=True, slots=True)
class SourceTime:
    """What time needs to know about a source."""

    kinds: frozenset[str] = frozenset()
    """The kinds it brings; empty: not known, so those it has brought are named."""
    disorder: int = 0
    """µs that its watermark stays behind its newest record."""
    idle: int = 0
    """µs: a gap in its records that is longer, met after it was down, is one in which records were lost."""

    @property
    def moves_time(self) -> bool:
        """Whether records with a time of their own come from it."""
        return not self.kinds or bool(self.kinds - CONTROL)


class SourceTicks:
    """Derives the ticks of several sources, by name."""

    def __init__(self, sources: Mapping[str, SourceTime]) -> None:
        self.sources = sources
        self.greatest = dict.fromkeys(sources, _NEVER)
        """Greatest `t` of each source, -1 before its first record."""
        self.live = {name for name, source in sources.items() if source.moves_time}
        self.last = _NEVER
        """`t` of the last tick."""
        self.named: list[str] = []
        """Kinds that the last tick named."""
        self._kinds = {name: set(source.kinds - CONTROL) for name, source in sources.items()}
        """Kinds that are missing while a source is down."""
        self._learns = frozenset(name for name, source in sources.items() if not source.kinds)
        self._held: dict[str, int] = {}
        """Source -> least `t` of its records that are kept back before they go into the log."""
        self._given: dict[str, list[str]] = {name: [] for name in sources}
        """Kinds named by the last tick that a source brought itself."""
        self._maker = TickMaker()

    @property
    def watermark(self) -> int | None:
        """The least watermark of the live sources, µs; None while one has none yet, or none is live."""
        least: int | None = None
        for name in self.live:
            greatest = self.greatest[name]
            if greatest == _NEVER:
                return None
            mark = min(greatest - self.sources[name].disorder, self._held.get(name, greatest))
            if least is None or mark < least:
                least = mark
        return least

    def before(self, name: str, event: Event) -> list[Event]:
        """Take in that a record comes; return the ticks that go before it.

        Only one that finds its source down makes any: the first after all were silent. Time goes on from
        where it stopped, so what is missing since then is named from there on.
        """
        if name in self.live or event.kind in CONTROL:
            return []
        alone = not self.live
        self.live.add(name)
        if not alone:
            return []
        down = self.down()
        source = self.sources[name]
        if event.t - self.greatest[name] > source.idle and self.greatest[name] != _NEVER:
            down += sorted(self._kinds[name] - set(down))
        return self._name(down)

    def after(self, name: str, event: Event) -> list[Event]:
        """Return the ticks that follow a record."""
        if event.kind in CONTROL:
            if event.kind != "tick":
                return []
            self._given[name] = list(event.fields.get("down") or ())
            # One source's own tick is in the log itself (`is_written`), as in a replay.
            return self._name(self.down()) if len(self.sources) > 1 else []
        if name in self._learns:
            self._kinds[name].add(event.kind)
        if event.t <= self.greatest[name]:
            return []
        self.greatest[name] = event.t
        return self._enter()

    def hold(self, name: str, oldest: int | None) -> None:
        """Say which is the oldest `t` (µs) of a source's records that are kept back; None: there are none.

        Its watermark does not go beyond it. Not part of the state: who keeps them back says so again.
        """
        if oldest is None:
            self._held.pop(name, None)
        else:
            self._held[name] = oldest

    def brought(self, name: str, kind: str) -> None:
        """Take in that a source brings a kind that was made of its records."""
        if name in self._learns and kind not in CONTROL:
            self._kinds[name].add(kind)

    def freed(self) -> list[Event]:
        """Return the tick for time that is free since something is kept back no longer."""
        return self._enter()

    def silent(self, name: str) -> list[Event]:
        """Take a source for down; return the ticks that say so: the kinds, then the time that is free."""
        if name not in self.live:
            return []
        self.live.discard(name)
        if not self.live:
            return []
        return self._name(self.down()) + self._enter()

    def is_written(self, event: Event) -> bool:
        """Say whether a record of a source goes into the log: of several sources none moves time alone."""
        return event.kind != "tick" or len(self.sources) == 1

    def closing(self) -> Event | None:
        """Return the tick after which nothing comes, 1 µs after the newest record; None if it was made."""
        newest = max(self.greatest.values(), default=_NEVER)
        if newest == _NEVER or self.last > newest:
            return None
        self._maker.enter(newest + 1)
        return self._made(newest + 1)

    def down(self) -> list[str]:
        """Name the kinds that are missing now: those that sources say, then those of sources down."""
        said = [kind for given in self._given.values() for kind in given]
        brought = {kind for name in self.live for kind in self._kinds[name]}
        missing = {
            kind
            for name, source in self.sources.items()
            if name not in self.live and source.moves_time
            for kind in self._kinds[name] - brought
        }
        return list(dict.fromkeys([*said, *sorted(missing)]))

    def _name(self, down: list[str]) -> list[Event]:
        """Say at the time of the last tick that more kinds are missing; less is said by the next tick."""
        if self.last == _NEVER or set(down) <= set(self.named):
            return []
        self.named = down
        return [tick(self.last, down)]

    def _enter(self) -> list[Event]:
        watermark = self.watermark
        if watermark is None or self._maker.enter(watermark) is None:
            return []
        return [self._made(watermark)]

    def _made(self, time: int) -> Event:
        self.last = time
        self.named = self.down()
        return tick(time, self.named)

    def pack(self) -> dict[str, Any]:
        """Return the state as plain JSON, for a checkpoint."""
        return {
            "greatest": self.greatest,
            "last": self.last,
            "named": self.named,
            "given": self._given,
            "learned": {name: sorted(self._kinds[name]) for name in sorted(self._learns)},
            "down": sorted(set(self.sources) - self.live),
        }

    def restore(self, packed: Mapping[str, Any]) -> None:
        """Go on where `pack` was called; sources that are new or gone since then do no harm."""
        for name in self.sources:
            self.greatest[name] = packed["greatest"].get(name, _NEVER)
            self._given[name] = packed["given"].get(name, [])
            if name in self._learns:
                self._kinds[name] = set(packed.get("learned", {}).get(name, ()))
            if name in packed["down"]:
                self.live.discard(name)
        self.last = packed["last"]
        self.named = packed["named"]
        if self.last != _NEVER:
            self._maker.enter(self.last)
