"""Logs: everything a process writes is a JSON line, and no line holds a number of a person.

Each case is a process of its own: `setup` takes over the logging of the whole process.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import orjson
import pytest

from tests.testdata import CHECKOUT
from tests.unit.operating.test_log_fields import CANARIES

HEAD = """
import asyncio, logging, sys, threading, warnings
import structlog
IMSI, MSISDN, IMEI = "460001234567890", "+8613800138000", "353879234567891"
logging.basicConfig()                               # a library that sets up logging before us
early = logging.getLogger("aiokafka.early")
early.addHandler(logging.StreamHandler()); early.propagate = False
from engine.logs import setup
setup("LEVEL", "engine")
log = structlog.get_logger("engine.lane")
"""


def lines(script: str, level: str = "info", code: int = 0) -> list[dict[str, Any]]:
    """What a process writes, each line read as JSON."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", HEAD.replace("LEVEL", level) + script],
        env={"PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    text = done.stderr.decode()
    assert [number for number in CANARIES if number in text or number in done.stdout.decode()] == []
    assert done.returncode == code, text
    assert done.stdout == b""
    return [orjson.loads(line) for line in text.splitlines()]


def test_a_line_of_our_own() -> None:
    [line] = lines('log.info("assigned", partition=3, token="abc")')
    assert line.pop("t").endswith("Z")
    assert line == {
        "level": "info",
        "role": "engine",
        "logger": "engine.lane",
        "event": "assigned",
        "partition": 3,
        "fields_dropped": 1,
    }


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error", "critical"]),
        ("info", ["info", "warning", "error", "critical"]),
        ("warning", ["warning", "error", "critical"]),
        ("error", ["error", "critical"]),
    ],
)
def test_the_level_holds_for_us_and_for_libraries(level: str, shown: list[str]) -> None:
    script = """
for logger in (log, logging.getLogger("aiokafka.consumer")):
    for name in ("debug", "info", "warning", "error", "critical"):
        getattr(logger, name)("said")
"""
    assert [line["level"] for line in lines(script, level)] == shown * 2


CASES = {
    "our texts": 'log.info(f"of {IMSI}"); log.warning("of %s", MSISDN)',
    "our fields": "log.info('x', source=IMSI, reason=int(IMEI), problem={'was': [int(IMSI)]})",
    "fields that are not listed": "log.info('x', imsi=IMSI, **{IMSI: MSISDN})",
    "bound fields": (
        "structlog.contextvars.bind_contextvars(source=IMSI, to=MSISDN); log.bind(was=IMEI).info('x')"
    ),
    "our exceptions": """
try:
    {}[IMSI]
except KeyError as error:
    log.exception("failed", was=error)
    log.error("failed", exc_info=error)
    log.error("failed", exc_info=True, stack_info=True)
""",
    "exceptions in exceptions": """
try:
    try:
        raise ValueError(f"of {IMSI}")
    except ValueError as error:
        raise RuntimeError(f"of {MSISDN}") from error
except RuntimeError as error:
    error.add_note(IMEI)
    log.exception("failed")
    logging.getLogger("faust").exception("failed with %r", error)
""",
    "arguments of libraries": """
for name in ("aiokafka", "aiokafka.early", "faust", "mode", "uvicorn.error", "uvicorn.access", "asyncio"):
    logger = logging.getLogger(name)
    logger.info("of %s and %r", IMSI, {"msisdn": MSISDN, IMEI: [int(IMSI)]}, extra={"imei": IMEI})
    logger.info("of %(imsi)s", {"imsi": IMSI})
""",
    "arguments that do not fit": 'logging.getLogger("mode").error("of %d " + IMSI, MSISDN, IMEI)',
    "a stack": 'logging.getLogger("mode").error("x" + IMSI, stack_info=True)',
    "warnings": 'warnings.simplefilter("always"); warnings.warn(f"of {IMSI}", UserWarning)',
    "a task nobody waits for": """
async def fail(imsi):
    raise ValueError(imsi)
async def main():
    task = asyncio.create_task(fail(IMSI), name=MSISDN)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
asyncio.run(main())
import gc; gc.collect()
""",
    "a thread": """
def fail(imsi):
    raise ValueError(imsi)
thread = threading.Thread(target=fail, args=(IMSI,)); thread.start(); thread.join()
""",
    "what nobody can be told": """
class Gone:
    def __del__(self):
        raise ValueError(IMSI)
Gone()
""",
    "names of loggers": 'logging.getLogger(IMSI).error("x"); structlog.get_logger(MSISDN).info("x")',
    "lone surrogates": 'log.info("x\\ud800" + IMSI, source="\\udfff", was=b"\\xff")',
}


@pytest.mark.parametrize("case", CASES)
def test_no_number_in_what_a_process_writes(case: str) -> None:
    written = lines(CASES[case])
    assert written != []
    assert all(set(line) >= {"t", "level", "role", "logger", "event"} for line in written)


def test_an_exception_that_ends_the_process_is_the_last_line() -> None:
    [line] = lines("def go(imsi):\n    raise LookupError(f'of {imsi}')\ngo(IMSI)", code=1)
    assert line["level"] == "critical"
    assert line["exception"]["class"] == "LookupError"
    assert [position.split(" ")[1] for position in line["exception"]["at"]] == ["<module>", "go"]


def test_a_closed_stderr_ends_nothing() -> None:
    assert lines('sys.stderr.close(); log.info("x"); sys.stderr = None; log.info("x")') == []


def test_a_library_that_takes_stderr_over_gets_no_lines() -> None:
    script = "import io; sys.stderr = io.StringIO(); log.info('x'); logging.getLogger('mode').info('y')"
    assert [line["event"] for line in lines(script)] == ["x", "y"]


def test_a_process_without_stderr() -> None:
    assert lines("sys.stderr = None; setup('info', 'engine'); log.info('x')") == []


def test_what_a_library_says_again_and_again_is_told_a_few_times_and_ours_each_time() -> None:
    found = lines(
        "client = logging.getLogger('aiokafka')\n"
        "for node in range(500):\n"
        "    client.error('Unable connect to node with id %s', node)\n"
        "    log.warning('lane tries again')\n"
        "client.error('another thing')\n"
        "import engine.log_pace, time\n"
        "now = time.monotonic() + 60\n"
        "logging.root.handlers[0]._pace._clock = lambda: now\n"
        "client.error('Unable connect to node with id %s', 7)\n"
    )
    of_client = [line["event"] for line in found if line["logger"] == "aiokafka"]
    assert of_client == [
        *(f"Unable connect to node with id {node}" for node in range(4)),
        "another thing",
        "Unable connect to node with id 7 (and 496 times before)",
    ]
    assert len(found) == 500 + len(of_client)
