"""Delimited files of the city: read back by their map they are the records; their faults are told."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.city import City, CityOptions, with_faults, write
from connectors.city.xdr import MAP, XdrFiles, row_of
from connectors.xdr_files import load_map, rows
from engine.errors import InputError
from engine.identity import Identity
from engine.intake import Intake
from engine.language.model import Catalog

HOURS = 2.0


def read(folder: Path) -> tuple[list[Any], Counter[str]]:
    intake = Intake(Identity(b"key"))
    columns = load_map(MAP)
    events = [event for path in sorted(folder.iterdir()) for event in rows(path, columns, intake)]
    return events, intake.refused


def test_what_the_map_reads_is_what_the_city_did(catalog: Catalog, start: int, tmp_path: Path) -> None:
    options = with_faults(CityOptions(), {}, none_else=True)
    city = City(4, 150, catalog, start=start, options=options)
    written = write(city, HOURS, tmp_path, xdr=True)
    events, refused = read(tmp_path / "xdr")
    assert not refused
    identity = Identity(b"key")
    seen = [record for record in city.events(HOURS) if row_of(record) is not None]
    assert len(events) == len(seen) == dict(written.parts)[tmp_path / "xdr"] > 1000
    for event, record in zip(
        sorted(events, key=lambda e: (e.t, e.key)),
        sorted(seen, key=lambda r: (r["t"] // 1000 * 1000, identity.of_imsi(r["imsi"]) or "")),
        strict=True,
    ):
        assert event.kind == record["kind"]
        assert event.t == record["t"] // 1000 * 1000
        assert event.key == identity.of_imsi(record["imsi"])
        assert event.cell == record.get("cell")
        assert event.fields.get("cell_prev") == record.get("cell_prev")
        assert event.fields.get("tac8") == record["imei"][:8]
    others = [orjson.loads(line) for line in (tmp_path / "events.jsonl").read_bytes().splitlines()]
    assert len(others) + len(seen) == sum(1 for _ in city.events(HOURS))


def test_damage_is_healed_or_refused_row_by_row_and_told(
    catalog: Catalog, start: int, tmp_path: Path
) -> None:
    rates = {"mangled_times": 0.05, "extra_columns": 0.1}
    city = City(4, 400, catalog, start=start, options=with_faults(CityOptions(), rates, none_else=True))
    written = write(city, HOURS, tmp_path, xdr=True)
    told = Counter(
        deed
        for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()
        for deed in orjson.loads(line).get("done", ())
    )
    events, refused = read(tmp_path / "xdr")
    count = dict(written.parts)[tmp_path / "xdr"]
    guessed = sum("guessed_time" in event.fields.get("quality", ()) for event in events)
    assert guessed + refused["time"] == told["mangled-time"]
    assert guessed > 5 * refused["time"] > 0  # only a `loc.*` takes the time of the row before it
    assert refused.keys() == {"time"}
    assert len(events) + refused["time"] == count
    assert told["mangled-time"] / count == pytest.approx(0.05, rel=0.3)
    assert told["extra-columns"] / count == pytest.approx(0.1, rel=0.2)


def test_files_roll_are_lost_and_come_twice(catalog: Catalog, start: int, tmp_path: Path) -> None:
    marks: list[dict[str, Any]] = []
    options = with_faults(CityOptions(), {"lost_files": 0.3, "doubled_files": 0.3}, none_else=True)
    city = City(4, 60, catalog, start=start, options=options)
    files = XdrFiles(tmp_path / "xdr", 4, options, marks.append, compress=True)
    took = sum(files.put(record) for record in city.events(HOURS))
    files.close()
    names = sorted(path.name for path in (tmp_path / "xdr").iterdir())
    assert len(names) == files.files
    assert all(name.endswith(".txt.gz") for name in names)
    lost = [row for row in marks if row["done"] == ["lost"]]
    doubled = [row for row in marks if row["done"] == ["doubled"]]
    assert lost
    assert doubled
    numbers = {int(name.split("_")[3].split(".")[0]) for name in names}
    gaps = set(range(1, max(numbers) + 1)) - numbers
    assert gaps <= {int(row["name"].split("_")[3].split(".")[0]) for row in lost}
    for row in doubled:
        again = row["name"].replace(".txt.gz", "_R.txt.gz")
        assert (tmp_path / "xdr" / again).read_bytes() == (tmp_path / "xdr" / row["name"]).read_bytes()
    assert files.rows + sum(row["rows"] for row in lost) == took
    first = gzip.decompress((tmp_path / "xdr" / names[0]).read_bytes()).splitlines()
    assert all(line.count(b"|") == 36 for line in first)


def test_files_of_an_earlier_run_are_not_mixed_with_these(
    catalog: Catalog, start: int, tmp_path: Path
) -> None:
    city = City(4, 20, catalog, start=start)
    write(city, 0.5, tmp_path, xdr=True)
    with pytest.raises(InputError, match="earlier run"):
        write(city, 0.5, tmp_path, xdr=True)
