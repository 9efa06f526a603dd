"""What `touchpoint feeds check` says of wrong feeds files, at every door and treatment, word for word.

`wrong.txt` holds the files, `---` between them; `wrong.out` what is said of each.
`TOUCHPOINT_UPDATE_GOLDEN=1` writes the answers anew: read the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from tests.testdata import CHECKOUT

HERE = Path(__file__).parent
FIELD_MAP = """map: fm
source: s
kind: loc.sight
fields:
  t: {path: ts, type: time, format: epoch ms}
  imsi: {path: imsi}
"""
FILES = {
    "cells.csv": "cell,lat,lon,range_m\n460-00-1-1,31.2,121.4,500\n",
    "badcells.csv": "cell,lat,lon\n460-00-1-1,91.2,121.4\n",
    "badhandsets.csv": "tax,model\n86266703,X\n",
    "left-out.csv": 'tac,model,network\n86266703,X,LTE\n8626,Y,LTE\n86266704,Z,6G\n86266705,"X,LTE\n',
    "badnumbers.yaml": "hotline: 10086x\n",
    "tok": "example-token-0001\n",
    "short": "abc\n",
    "empty": "",
    "fm.yaml": FIELD_MAP,
    "cols.yaml": """map: cols
source: s
kind: loc.sigh
separator: tab
colour: red
columns: {at_least: 3}
fields:
  t: {column: 2, type: tim, format: epoch ms}
  imsi: {column: 1}
  cell: {template: "{lac}-{ci}"}
  host: {column: 1}
  place: {column: 9}
helpers:
  ci: {column: 3, slice: 3-1}
""",
    "badtable.csv": "cell,lat,lon,range_m\n460-00-1-1,91.2,121.4,500\nx,1,1,1\n460-00-1-3,1,1,0\n",
    "brokenmap.yaml": FIELD_MAP.replace("loc.sight", "loc.sigh").replace("type: time", "type: tim"),
}
PLACE = re.compile(r"^[\w.-]+:\d+:\d+: ", re.MULTILINE)


def test_every_mistake_is_told_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("TOUCHPOINT_") and name != "TOUCHPOINT_UPDATE_GOLDEN":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for name, text in FILES.items():
        Path(name).write_text(text, encoding="utf-8")
    shown = []
    for text in (HERE / "wrong.txt").read_text(encoding="utf-8").split("---\n"):
        Path("f.yaml").write_text(text, encoding="utf-8")
        done = CliRunner().invoke(app, ["feeds", "check", "f.yaml", "--strict"])
        assert done.exception is None or isinstance(done.exception, SystemExit), text
        assert done.exit_code == 1, text
        problems = done.stdout[PLACE.search(done.stdout).start() :]  # type: ignore[union-attr]
        shown.append(f"{text}\n{problems}")
    told = "---\n".join(shown).replace(str(tmp_path), "FOLDER").replace(str(CHECKOUT), "CHECKOUT")
    if os.environ.get("TOUCHPOINT_UPDATE_GOLDEN"):
        (HERE / "wrong.out").write_text(told, encoding="utf-8")
    assert told == (HERE / "wrong.out").read_text(encoding="utf-8")
