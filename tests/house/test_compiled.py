"""The compiled core decides as the sources do. It takes a minute to compile, and needs a C compiler."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import stand_on
from tests.testdata import CHECKOUT
from tools.compile_core import CORE, main, why_not

PATIENCE = 600
"""Seconds for the compiler and for each run: a busy machine takes its time."""
pytestmark = pytest.mark.timeout(2 * PATIENCE)

CASES = """
import json
import engine.pipeline
from tests.differential.compare import case_of, difference
from tests.differential.generator import FOCI
assert not engine.pipeline.__file__.endswith(".py"), engine.pipeline.__file__
differ = [seed for seed in range(300) if difference(case_of(seed))]
differ += [focus for focus in sorted(FOCI) if difference(case_of(3_000_000, focus))]
print(json.dumps({"differ": differ, "cases": 300 + len(FOCI)}))
"""


ROWS = """
import orjson
from connectors import xdr_rows
from tests.unit.doors import samples
assert not xdr_rows.__file__.endswith(".py"), xdr_rows.__file__
for name in sorted(samples.ROWS):
    golden = (samples.FOLDER / f"{name}.golden.jsonl").read_bytes().splitlines()
    assert list(samples.told(name, samples.FOLDER / f"{name}.txt")) == list(map(orjson.loads, golden)), name
"""

TREATED = """
import json
from hashlib import blake2b
import orjson
from bench.treatments import GIVEN, table
from connectors.city import City
from engine.app import load_rules
from engine.identity import Identity
from engine.intake import Intake
from engine.treatments import chain
from engine.treatments.course import Course
from engine.treatments.registry import CELLS, TREATMENTS, Around, Asked, chain_of, edge_of
from tests.testdata import CHECKOUT
city = City(3, 150, load_rules(CHECKOUT / "rules", "86").catalog, start=1_788_740_000_000_000)
lines = list(map(orjson.dumps, city.events(1.5)))
cells = sorted({cell for line in lines if (cell := orjson.loads(line).get("cell"))})
names = [name for name, one in TREATMENTS.items() if set(one.tables) <= {CELLS}]
HOLD = {"identity": GIVEN["identity"], "ping_pong": {"same": "site", "most": 50}}
HOLD["roaming"] = {"home": {"46000"}, "hold": 600_000_000}
REPEAT = {**GIVEN, "ping_pong": {"mode": "repeat"}, "duplicates": {"subscribers": 20}}

def treat(given):  # all steps, with a restart half way: what came out, and the checkpoints
    around = Around(Identity(b"key of the tests", "86"), 5_000_000, {CELLS: table(cells)})
    asked = [Asked(TREATMENTS[n], TREATMENTS[n].options(**given.get(n, {}))) for n in names]
    out, counts, course = blake2b(), {}, None
    for at in range(0, len(lines), 500):
        if at in (0, len(lines) // 1_000 * 500):
            packed = None if course is None else orjson.loads(orjson.dumps(course.pack()))
            course = Course(chain_of(asked, around), 5_000_000)
            course.restore(packed)
            intake = Intake(around.identity, edge=edge_of(course.chain))
        for line in lines[at : at + 500]:
            for event in intake.read(line, "city", "1"):
                out.update(b"".join(orjson.dumps(each.fields) for each in course.take(event)))
        out.update(orjson.dumps([course.pack(), course.oldest]))
        counts.update({name: n for name, n in course.chain.counts.items() if n})
    out.update(b"".join(orjson.dumps(each.fields) for each in course.let_go()))
    return {"out": out.hexdigest(), "counts": counts}

done = {"chains": [treat(given) for given in (GIVEN, HOLD, REPEAT)], "lines": len(lines)}
print(json.dumps({**done, "compiled": not chain.__file__.endswith(".py")}))
"""


@pytest.fixture(scope="module")
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiled program."""
    missing = why_not()
    if missing:
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("core") / "compiled"
    # what is asked of here is what mypyc makes of the sources: the C compiler need not try hard
    command = [sys.executable, "-m", "tools.compile_core", str(folder), "1"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return folder


@pytest.fixture(autouse=True)
def listed(request: pytest.FixtureRequest) -> None:
    """Name the compiler in the closing table."""
    if "compiled" in request.fixturenames:
        stand_on(request.node, "build", "compiled core", "" if why_not() else str(shutil.which("cc") or "cc"))


def run(compiled: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the compiled program first on its path."""
    paths = os.pathsep.join((str(compiled), str(CHECKOUT)))
    return subprocess.run(
        [sys.executable, "-P", *words],
        cwd=compiled.parent,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_it_decides_as_the_reference_model_does(compiled: Path) -> None:
    done = run(compiled, "-c", CASES)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["differ"] == []
    assert json.loads(done.stdout)["cases"] > 350


def test_it_reads_rows_as_the_sources_do(compiled: Path) -> None:
    done = run(compiled, "-c", ROWS)
    assert done.returncode == 0, done.stderr[-2000:]


def test_it_treats_records_as_the_sources_do(compiled: Path) -> None:
    done = run(compiled, "-c", TREATED)
    assert done.returncode == 0, done.stderr[-2000:]
    by_machine = json.loads(done.stdout)
    command = [sys.executable, "-c", TREATED]
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    by_source = json.loads(subprocess.check_output(command, cwd=CHECKOUT, env=plain, timeout=PATIENCE))
    assert (by_machine.pop("compiled"), by_source.pop("compiled")) == (True, False)
    assert by_machine == by_source
    assert all(len(chain["counts"]) > 8 for chain in by_source["chains"])
    assert by_source["lines"] > 1_000


def test_a_replay_writes_the_same_bytes(compiled: Path, tmp_path: Path) -> None:
    city, program = tmp_path / "city", "from engine.cli.main import main; main()"
    simulate = [
        "simulate",
        "--seed",
        "3",
        "--subscribers",
        "200",
        "--hours",
        "2",
        "--lively",
        "--out",
        str(city),
    ]
    run(compiled, "-c", program, *simulate)
    rules = str(CHECKOUT / "rules")
    feed = ["--events", str(city / "events.jsonl"), "--profiles", str(city / "profiles.jsonl")]
    replay = ["replay", "--rules", rules, *feed, "--disorder", "5m", "--out"]
    done = run(compiled, "-c", program, *replay, str(tmp_path / "compiled"))
    assert done.returncode == 0, done.stderr[-2000:]
    command = [sys.executable, "-P", "-c", program, *replay, str(tmp_path / "plain")]
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, cwd=tmp_path, env=plain, check=True, capture_output=True, timeout=PATIENCE)
    made = (tmp_path / "compiled" / "decisions.jsonl").read_bytes()
    assert made.count(b"\n") > 100
    assert made == (tmp_path / "plain" / "decisions.jsonl").read_bytes()


def test_the_core_is_all_that_a_record_goes_through() -> None:
    """What the pipeline imports is compiled, but for tables, text and what is asked once."""
    plain = {"errors", "event_kinds", "localtime", "text", "sms", "language", "ports"}
    imported = set()
    for module in CORE:
        for line in (CHECKOUT / "engine" / f"{module}.py").read_text(encoding="utf-8").splitlines():
            if line.startswith("from engine."):
                imported.add(line.split()[1].removeprefix("engine.").replace(".", "/"))
    missing = {name for name in imported if name not in CORE and name.split("/")[0] not in plain}
    assert missing <= {"patterns"}


def test_without_a_compiler_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.compile_core.shutil.which", lambda _: None)
    assert why_not().startswith("expected a C compiler")


@pytest.mark.parametrize("arguments", [[], ["folder", "4"], ["folder", "1", "2"]])
def test_wrong_arguments_are_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "FOLDER [LEVEL]" in capsys.readouterr().err
