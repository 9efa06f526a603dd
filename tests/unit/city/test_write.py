"""Files of a city: complete, repeatable, compressed on demand."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.city import City, write
from engine.errors import InputError
from engine.language.model import Catalog


@pytest.fixture
def city(catalog: Catalog, start: int) -> City:
    return City(2, 50, catalog, start=start)


def test_files_hold_what_the_city_yields(city: City, tmp_path: Path) -> None:
    written = write(city, 2, tmp_path / "new" / "folder")
    read = [[orjson.loads(line) for line in path.read_bytes().splitlines()] for path in written.files]
    marks: list[dict[str, Any]] = []
    events = list(city.events(2, marks.append))
    assert read == [events, list(city.profiles()), [*city.truth(2), *marks]]
    assert [len(rows) for rows in read] == [lines for _, lines in written.parts]
    assert marks
    assert [path.name for path in written.files] == ["events.jsonl", "profiles.jsonl", "truth.jsonl"]


def test_compressed_files_repeat(city: City, tmp_path: Path) -> None:
    one, two = (write(city, 1, tmp_path / name, compress=True).files[0] for name in ("a", "b"))
    assert one.name == "events.jsonl.gz"
    assert one.read_bytes() == two.read_bytes()
    plain = write(city, 1, tmp_path / "c").files[0]
    assert gzip.decompress(one.read_bytes()) == plain.read_bytes()


def test_progress_ends_at_the_whole(catalog: Catalog, start: int, tmp_path: Path) -> None:
    calls: list[tuple[int, float]] = []
    city = City(2, 900, catalog, start=start)
    written = write(city, 2, tmp_path, lambda count, share: calls.append((count, share)))
    assert calls[-1] == (written.events, 1.0)
    assert len(calls) > 2
    assert all(0.0 <= share <= 1.0 for _, share in calls)


def test_a_folder_that_cannot_be_written_is_named(city: City, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="file"):
        write(city, 1, tmp_path / "file")
