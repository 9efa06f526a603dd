"""docs/rules/backtest.md: its commands run one after the other and print what the page shows."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import orjson

from tests.house.pages import blocks, commands, missing, program_arguments, run
from tests.testdata import CHECKOUT

PAGE = "docs/rules/backtest.md"


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    for name in ("rules", "live"):
        shutil.copytree(CHECKOUT / "rules", tmp_path / name)
    coupon = tmp_path / "live" / "city" / "mall-coupon.yaml"
    text = coupon.read_text(encoding="utf-8")
    assert "for: 30m" in text
    coupon.write_text(text.replace("for: 30m", "for: 40m"), encoding="utf-8")
    shown = 0
    found = blocks(PAGE)
    for block, below in pairwise([*found, found[-1]]):
        for words in commands(block) if block.info == "sh" else ():
            arguments = program_arguments(words)
            assert arguments is not None
            done = run(arguments, tmp_path)
            # the copy was changed after its approval, which is said and stops nothing
            said = done.stderr.replace("touchpoint: the rules have a problem: touchpoint check live\n", "")
            assert (done.returncode, said) == (0, ""), words
            if below.info == "text":
                assert missing(below.text, done.stdout) == [], str(below)
                shown += 1
    assert shown == 1
    against = orjson.loads((tmp_path / "tried" / "report.json").read_bytes())["against"]
    rows = {rule["rule"]: rule for rule in against["rules"]}
    # what the text below the output says
    coupon = rows["mall-coupon"]
    assert (coupon["gain"], coupon["moved"], coupon["lose"]) == (1, 1, 0)
    assert (against["subscribers"]["lose"], against["subscribers"]["both"]) == (0, 1)
    assert rows["bundle-ending"]["lose"] == 1
