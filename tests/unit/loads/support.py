"""A load by a map on memory twins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from connectors.loads.load_map import FileMap
from connectors.loads.mapped import MapReader
from connectors.memory_inlet import Checkpoints, MemoryInlet
from connectors.memory_log import MemoryLog
from connectors.memory_optouts import MemoryOptOuts
from engine.errors import LogError
from engine.identity import Identity
from engine.intake import Intake
from engine.language.model import FieldSpec
from engine.loading import Loader, Rows
from engine.refusals import Refusal

KEY = b"a key of the tests"
NOW = 1_789_000_000_000_000
IMSI, NUMBER = "460001234567890", "+8613912345678"
FIELDS = {
    spec.name: spec
    for spec in (
        FieldSpec("tier", "text", ("silver", "gold")),
        FieldSpec("note", "text"),
        FieldSpec("arpu", "money"),
        FieldSpec("age", "number"),
        FieldSpec("data.month", "bytes"),
        FieldSpec("data.left", "percent"),
        FieldSpec("away", "duration"),
        FieldSpec("handset.mms", "yes/no"),
        FieldSpec("tags", "set"),
        FieldSpec("packs", "set", ("A", "B")),
    )
}

Open = Callable[[FileMap, Intake, str], Rows]


class CutOff(MemoryInlet):
    """An inlet whose log is away after some steps."""

    def __init__(self, log: MemoryLog, source: str, checkpoints: Checkpoints, steps: int) -> None:
        super().__init__(log, source, checkpoints)
        self._steps = steps

    async def append(
        self, records: Sequence[tuple[int, bytes]], checkpoint: bytes, dead: Sequence[bytes] = ()
    ) -> None:
        """Append as long as steps are left."""
        if self._steps == 0:
            raise LogError("expected brokers, was none")
        self._steps -= 1
        await super().append(records, checkpoint, dead)


class World:
    """A log, and loads into it by a map."""

    def __init__(self, folder: Path, text: str, kind: str = "profiles") -> None:
        self.path = folder / "map.yaml"
        self.path.write_text(text, encoding="utf-8")
        self.map = FileMap(self.path, kind, FIELDS)
        self.identity = Identity(KEY)
        self.log = MemoryLog(2)
        self.checkpoints = Checkpoints()
        self.optouts = MemoryOptOuts()
        self.refusals: list[Refusal] = []
        self.readers: list[MapReader] = []
        self.now = NOW

    async def load(
        self,
        open_: Open,
        source: str = "list",
        *,
        batch: int = 10,
        steps: int | None = None,
        anew: bool = False,
        reader: str | None = None,
    ) -> Loader:
        """Load; `steps`: after so many the log is away."""
        if steps is None:
            inlet = MemoryInlet(self.log, "load", self.checkpoints)
        else:
            inlet = CutOff(self.log, "load", self.checkpoints, steps)

        def by_map(intake: Intake, source: str) -> MapReader:
            self.readers.append(MapReader(self.map, intake, source))
            return self.readers[-1]

        loader = Loader(
            reader or by_map, source, self.identity, lambda: self.now, inlet, self.optouts, batch=batch
        )
        loader.on_refusal = self.refusals.append
        await loader.run(open_(self.map, loader.intake, source), lambda _: None, anew=anew)
        return loader

    async def records(self) -> list[dict[str, Any]]:
        """Return the log in the order of the partitions."""
        found = [record for part in (0, 1) for record in await self.log.fetch(part, 0, 1 << 20)]
        return [orjson.loads(record.value) for record in found]

    async def profiles(self) -> list[dict[str, Any]]:
        """Return the fields of the records."""
        return [record["profile"] for record in await self.records()]

    def told(self) -> list[str]:
        """Return what was refused, as POSITION: DETAIL."""
        return [f"{refusal.position}: {refusal.detail}" for refusal in self.refusals]

    def key(self, imsi: str = IMSI) -> str:
        """Return the subscriber key of an IMSI."""
        found = self.identity.of_imsi(imsi)
        assert found is not None
        return found
