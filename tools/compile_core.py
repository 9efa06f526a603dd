"""Compile the engine's core with mypyc into a folder of its own: the same sources, run as machine code.

    python -m tools.compile_core FOLDER [LEVEL]

The folder gets a copy of `engine/` and `connectors/` with the compiled modules beside their sources; whoever
has it first on the path runs them. Needs a C compiler and Python's headers. LEVEL (0 to 3) is how hard
the C compiler tries; 3, the usual, takes twice as long as 1. Exit codes: 0 compiled; 1 it could not be (said
on stderr); 2 a mistake in the arguments.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).resolve().parent.parent
PARTS = ("engine", "connectors")
CORE = (
    *("event", "refusals", "numbers", "identity", "field_checks", "subject", "intake", "ticks", "feeds"),
    *(
        "history",
        "history_words",
        "data_use",
        "heat",
        "copies",
        "places",
        "snapshot",
        "presence",
        "residence",
        "audience",
        "look_back",
        "rulebook",
        "matching",
        "ledger",
    ),
    *("decision", "emit", "control", "warm", "codec", "codec_history", "codec_v1"),
    *("canary", "switching", "pipeline"),
    *(f"patterns/{name}" for name in ("base", "absence", "build", "combine", "counting", "crossing")),
    *(f"patterns/{name}" for name in ("dwell", "happens", "sequence")),
)
"""The modules a record goes through, all of them together: calls between them are plain C calls then."""

COLLECTOR = (
    *("admission", "sources"),
    *(f"treatments/{name}" for name in ("by_age", "chain", "course", "derived", "flags", "kept_back", "lot")),
    *(f"treatments/{name}" for name in ("memory", "recent")),
    *(f"treatments/{name}" for name in ("identity", "correlation", "parking", "unknown_cells", "duplicates")),
    *(f"treatments/{name}" for name in ("late", "start_cell", "impossible_moves", "ping_pong", "thinning")),
    *(f"treatments/{name}" for name in ("ping_pong_repeat", "handset_changes", "roaming", "roaming_held")),
)
"""Modules that a record goes through on its way into the log, beside those of the core.

Settings of steps stay sources: pydantic reads annotations that machine code does not keep.
"""

DOORS = ("xdr_files", "xdr_kinds", "xdr_rows")
"""Modules of `connectors` that a row of a raw file goes through before it is a record of these."""

LEVELS = ("0", "1", "2", "3")


def why_not() -> str:
    """Say what is missing to compile; empty if nothing is."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"expected a C compiler ({compiler}), was none"
    header = Path(sysconfig.get_path("include")) / "Python.h"
    return "" if header.exists() else "expected Python's headers (Debian, Ubuntu: python3-dev), was none"


def compile_into(folder: Path, level: str = LEVELS[-1]) -> None:
    """Build the compiled program in `folder`, replacing what is there."""
    from mypyc.build import mypycify
    from setuptools import setup

    with TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as name:
        work = Path(name)
        for part in PARTS:
            shutil.copytree(
                CHECKOUT / part, work / part, ignore=shutil.ignore_patterns("__pycache__", "*.so")
            )
        with contextlib.chdir(work):
            modules = [f"engine/{module}.py" for module in (*CORE, *COLLECTOR)]
            modules += [f"connectors/{module}.py" for module in DOORS]
            # what they import but do not compile is not checked here: `./run lint` does
            options = ["--follow-imports=silent", "--explicit-package-bases", "--namespace-packages"]
            built = mypycify([*options, *modules], opt_level=level, debug_level="0")
            setup(
                name="touchpoint-core",
                ext_modules=built,
                packages=[],
                script_args=["-q", "build_ext", "--inplace"],
            )
            shutil.rmtree("build", ignore_errors=True)
        (work / "rules").symlink_to(CHECKOUT / "rules")  # the default folder of the settings
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o755)
        for path in work.iterdir():
            path.rename(folder / path.name)


def main(arguments: list[str]) -> int:
    """Compile; return the exit code."""
    if not 1 <= len(arguments) <= 2 or not set(arguments[1:]) <= set(LEVELS):
        print("usage: python -m tools.compile_core FOLDER [LEVEL], LEVEL 0 to 3", file=sys.stderr)
        return 2
    missing = why_not()
    if missing:
        print(f"the core was not compiled: {missing}", file=sys.stderr)
        return 1
    os.environ.setdefault("CFLAGS", "-w")
    compile_into(Path(arguments[0]).resolve(), *arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
