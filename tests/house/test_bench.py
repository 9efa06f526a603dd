"""`./run bench` runs and prints every figure. Times are never asserted: they are no test's business."""

from __future__ import annotations

import math
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from bench.day import PARTS, parts_of
from bench.profiling import stage_of
from bench.report import MORE
from engine.codec import encode
from engine.snapshot import Subscriber
from engine.treatments.registry import CELLS, TREATMENTS
from tests.servers.postgres import find_postgres
from tests.servers.process import NoServerError
from tests.testdata import CHECKOUT

STAGES = ["intake", "ticks", "fold", "encode", "lines"]
QUANTILES = ["median", "p90", "p99", "max"]
FIGURES = {
    "day": [
        "total",
        *(f"stage {stage}" for stage in STAGES),
        *("orjson.loads alone", "total / orjson.loads"),
        "garbage collector",
        "total, all refusals",
        *("encodes", "instants", "decisions", "decisions, written", "offers"),
        *(f"kind {kind}" for kind in ("data.session", "loc.update", "loc.handover")),
        *(f"state, {quantile}" for quantile in QUANTILES),
        *(f"state part {part}, median" for part in ("core", "gates", "ids", "history")),
        "state, two days, median",
    ],
    "pieces": [
        *("json.loads", "orjson.loads", "pydantic validate_json"),
        *("dict-of-dicts state", "5-condition closure"),
    ],
    "ratios": ["orjson.loads", "pydantic validate_json"],
    "check": ["read and check", "make ready"],
    "replay": ["records", "cost", "with --report"],
    "lanes": ["records", "cost", "stage intake", "stage collector", "stage lanes"],
    "doors": ["JSON lines", "JSON lines, gzip", "xDR rows, made"],
    "pushing": [
        *("CAMARA, 1 event, HTTP/1.1", "CAMARA, 1 event, HTTP/2", "CAMARA, batch of 100, HTTP/1.1"),
        *("AMF, 1 report, HTTP/2", "AMF, 10 reports, HTTP/2", "NEF, 1 report, HTTP/1.1"),
        *("NEF, 10 reports, HTTP/1.1", "NEF, 10 reports, HTTP/2", "TCP lines, JSON", "TCP lines, xDR rows"),
        *("NEF, 1 report, HTTP/1.1 / CAMARA, 1 event, HTTP/1.1",),
    ],
    "captures": ["S1AP and NAS", "TCAP and MAP", "frames without signaling"],
    "treatments": ["no step", "duplicates", "ping_pong", "thinning", "all"],
    "collecting": [
        *("memory", "memory, 4 treatments", "memory, 4 treatments / memory", "Kafka, a message per record"),
        *("Kafka, 50 records a message", "Kafka, a message per record / Kafka, 50 records a message"),
    ],
    "loads": [
        *("JSON lines", "CSV", "CSV / JSON lines", "Parquet", "Parquet / JSON lines"),
        *("opt-outs, a number per line", "complaints, CSV"),
    ],
    "topics": [
        f"{way}{many}"
        for many in ("", ", 50 per message")
        for way in ("JSON", "JSON, mapped", "Avro, mapped", "Protobuf, mapped")
    ],
}


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    """Start the benchmarks as `./run bench` does."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )


@cache
def quick(folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """What the quick run prints, and its sections."""
    done = bench("--quick", "--cache", str(folder / "cache"), "--json", str(folder / "figures.json"))
    assert done.returncode == 0, done.stderr
    return done.stdout, orjson.loads((folder / "figures.json").read_bytes())["sections"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


def is_number(figure: dict[str, Any]) -> bool:
    """Say whether a figure is one that can be: only a difference of two runs may be below nothing."""
    return math.isfinite(figure["value"]) and (figure["value"] >= 0 or MORE in figure["unit"].split())


@pytest.mark.parametrize("name", FIGURES)
def test_the_quick_run_gives_every_figure(folder: Path, name: str) -> None:
    section = next(section for section in quick(folder)[1] if section["name"] == name)
    found = {figure["name"]: figure for figure in section["figures"]}
    assert [figure for figure in FIGURES[name] if figure not in found] == []
    assert [figure for figure, entry in found.items() if not is_number(entry)] == []


def test_loads_from_postgresql_are_measured_where_there_is_one(folder: Path) -> None:
    section = next(section for section in quick(folder)[1] if section["name"] == "loads")
    found = {figure["name"] for figure in section["figures"]} & {"PostgreSQL", "PostgreSQL / JSON lines"}
    try:
        find_postgres()
    except NoServerError:
        assert found == set()
        assert any(remark.startswith("PostgreSQL: not run, ") for remark in section["remarks"])
    else:
        assert found == {"PostgreSQL", "PostgreSQL / JSON lines"}


def test_the_quick_run_prints_what_it_writes(folder: Path) -> None:
    printed, sections = quick(folder)
    lines = printed.splitlines()
    for section in sections:
        at = lines.index(f"{section['name']}: {section['title']}")
        for figure, line in zip(section["figures"], lines[at + 1 :], strict=False):
            assert line.startswith(f"  {figure['name']} ")
            assert figure["unit"] in line


def test_only_what_one_run_costs_more_may_be_below_nothing(folder: Path) -> None:
    figures = [figure for section in quick(folder)[1] for figure in section["figures"]]
    assert {figure["name"] for figure in figures if is_number({**figure, "value": -1.0})} == {
        *(name for name in TREATMENTS if not set(TREATMENTS[name].tables) - {CELLS}),
        *("hook: nothing", "hook: correlate", "hook: correlate, home, normalise, strict_imei"),
    }


def test_shares_of_kinds_are_shares_of_a_whole(folder: Path) -> None:
    day = quick(folder)[1][0]
    shares = [figure["value"] for figure in day["figures"] if figure["name"].startswith("kind ")]
    assert sum(shares) == pytest.approx(100)


def test_the_quick_run_judges_no_target(folder: Path) -> None:
    met = [figure["met"] for section in quick(folder)[1] for figure in section["figures"]]
    assert set(met) == {None}


def test_the_profile_names_stages_and_functions(tmp_path: Path) -> None:
    done = bench("profile", "--quick", "--cache", str(tmp_path), "--json", str(tmp_path / "figures.json"))
    assert done.returncode == 0, done.stderr
    (section,) = orjson.loads((tmp_path / "figures.json").read_bytes())["sections"]
    names = [figure["name"] for figure in section["figures"]]
    stages = [name for name in names if name.startswith("stage ")]
    assert {"stage intake", "stage order, clock", "stage history, heat", "stage encode"} <= set(stages)
    assert len(names) - len(stages) == 25
    assert sum(figure["value"] for figure in section["figures"][: len(stages)]) == pytest.approx(100)


def test_every_module_of_the_core_has_a_stage() -> None:
    shown = {"pipeline", "matching", "decision", "codec", "codec_history", "history", "presence", "ledger"}
    files = {name: str(CHECKOUT / "engine" / f"{name}.py") for name in shown}
    assert [name for name, file in files.items() if stage_of((file, 1, "f")) == "other"] == []
    assert [name for name, file in files.items() if not Path(file).exists()] == []


def test_an_unknown_benchmark_is_a_mistake_of_the_arguments() -> None:
    done = bench("days")
    assert done.returncode == 2
    assert "expected a benchmark (day, pieces," in done.stderr
    assert "was 'days'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cache_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    done = bench("pieces", "--quick", "--cache", str(tmp_path / "file"))
    assert done.returncode == 2
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_blob_is_the_sum_of_its_parts() -> None:
    blob = encode(Subscriber("0" * 32, "0" * 32))
    sizes = parts_of(blob)
    assert len(sizes) == len(PARTS)
    assert 0 < len(blob) - sum(sizes) < 100
