"""Data that is not there is named at the end and never counts as green."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testdata import CHECKOUT

TESTS = """
import pytest

@pytest.mark.testdata("here.csv")
def test_marked(): pass

def test_asking(testdata): assert testdata("here.csv").read_text() == "1"

@pytest.mark.testdata("gone.csv")
def test_without(): raise AssertionError("must not run")

def test_asking_in_vain(testdata): testdata("gone.csv").read_text()

def test_plain(): pass
"""


def closing(
    folder: Path, *options: str, tests: str = TESTS, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the tests above in a folder whose data is `here.csv` only."""
    (folder / "here.csv").write_text("1", encoding="utf-8")
    (folder / "test_it.py").write_text(tests, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", str(CHECKOUT / "pyproject.toml")]
    return subprocess.run(
        [*command, "--rootdir", str(folder), "-p", "no:cacheprovider", *options, str(folder)],
        env={**os.environ, "TOUCHPOINT_TESTDATA": str(folder), "PYTHONPATH": str(CHECKOUT), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_table_tells_run_from_not_run(tmp_path: Path, workers: str) -> None:
    done = closing(tmp_path, "-n", workers)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(
        r"^data +gone\.csv +not run: no test data; tests left out: 2$", done.stdout, re.MULTILINE
    )
    assert re.search(r"^data +here\.csv +tests run: 2; .*here\.csv$", done.stdout, re.MULTILINE)
    assert "3 passed, 2 skipped" in done.stdout.splitlines()[-1]


def test_tests_that_need_nothing_print_no_table(tmp_path: Path) -> None:
    done = closing(tmp_path, "-k", "plain")
    assert "what the tests stood on" not in done.stdout
    assert "1 passed" in done.stdout


def test_a_wrong_number_of_examples_is_refused(tmp_path: Path) -> None:
    done = closing(tmp_path, TOUCHPOINT_EXAMPLES="lots")
    assert done.returncode == 4
    assert "TOUCHPOINT_EXAMPLES: expected a number of examples, was 'lots'" in done.stderr


@pytest.mark.parametrize("required", ["0", "1"])
def test_a_missing_kafka_is_named_and_fails_where_it_is_required(tmp_path: Path, required: str) -> None:
    tests = "def test_it(kafka_server): raise AssertionError('must not run')"
    away = {"PATH": str(tmp_path), "TEST_KAFKA_BOOTSTRAP": ""}
    done = closing(tmp_path, tests=tests, REQUIRE_REAL_KAFKA=required, **away)
    assert done.returncode == int(required), done.stdout + done.stderr
    row = r"^engine +Kafka [\d.]+ \(KRaft\) +not run: no java on PATH and no \$TEST_KAFKA_BOOTSTRAP; "
    assert re.search(rf"{row}tests left out: 1$", done.stdout, re.MULTILINE), done.stdout
    if required == "1":
        assert "REQUIRE_REAL_KAFKA=1: expected a Kafka, was: no java" in done.stdout


def test_a_missing_redis_is_a_failure(tmp_path: Path) -> None:
    tests = "def test_it(redis_server): raise AssertionError('must not run')"
    done = closing(tmp_path, tests=tests, TEST_REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert "TEST_REDIS_URL: expected a Redis that answers" in done.stdout
    assert re.search(r"^engine +Redis +not run: .*; tests left out: 1$", done.stdout, re.MULTILINE)
