"""Simulated feeds as files: made once, kept in a cache folder, read back a batch at a time."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import orjson

from bench.report import ROOT, tell
from connectors.city import City
from engine.app import MORNING
from engine.language.model import RuleSet

SEED = 7
BATCH = 5_000
"""Records folded between two commits: the most that the settings allow."""
HOUR_OF = 8
"""The simulated hour of `replay`, `lanes` and `doors` begins here."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A simulated feed: canonical JSON lines of intake shape in the order of arrival, gzip."""

    path: Path
    profiles: list[bytes]
    subscribers: int

    def batches(self, size: int = BATCH) -> Iterator[list[bytes]]:
        """Yield the lines, without line ends."""
        with gzip.open(self.path, "rb") as packed:
            lines = io.BufferedReader(packed, 1 << 20)
            while batch := [line[:-1] for line in islice(lines, size)]:
                yield batch


def simulate(cache: Path, rules: RuleSet, subscribers: int, hours: float, hour_of: int = 0) -> Feed:
    """Return the feed of a city whose clock starts at `hour_of` of the fixed Monday; made if not cached."""
    start = int(MORNING.replace(hour=hour_of, minute=0).timestamp()) * 1_000_000
    city = City(SEED, subscribers, rules.catalog, start=start)
    profiles = [orjson.dumps(line) for line in city.profiles()]
    name = f"city-{SEED}-{subscribers}-{hour_of:02}-{hours:g}h"
    path = cache / f"{name}-{_digest()}.jsonl.gz"
    if not path.exists():
        for stale in cache.glob(f"{name}-*"):
            stale.unlink()
        tell(f"simulating {subscribers:,} subscribers for {hours:g} h, once: {path}")
        part = path.with_suffix(f".{os.getpid()}")
        with gzip.open(part, "wb", compresslevel=1) as packed, io.BufferedWriter(packed, 1 << 20) as file:
            for record in city.events(hours):
                file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        part.replace(path)
    return Feed(path, profiles, subscribers)


def _digest() -> str:
    """Return a hash of what a feed depends on beside its name: the simulator and the catalogue."""
    found = blake2b(digest_size=6)
    for folder in (ROOT / "connectors" / "city", ROOT / "rules" / "catalog"):
        for path in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".yaml", ".csv")):
            found.update(path.read_bytes())
    return found.hexdigest()
