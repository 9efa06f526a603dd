"""README.md: every command runs, what it says you see is there, and what it quotes is in the files."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import orjson

from tests.house.pages import Block, blocks, commands, missing, program_arguments, run
from tests.testdata import CHECKOUT

PAGE = "README.md"
_OFFER = re.compile(r"\w{3} \d\d:\d\d:\d\d (\S+)(?: @(\S+))? \[(sms|mms|manual)\] (.+)  \((.+)\)")
_HEADS = ("decisions by rule", "refused because", "city clock", "records", "decisions", "offers", "state")


def shell() -> list[tuple[Block, Block | None]]:
    """Every shell block with the output shown below it, if there is any."""
    found = blocks(PAGE)
    after = [*found[1:], None]
    return [
        (block, below if below is not None and below.info == "text" else None)
        for block, below in zip(found, after, strict=True)
        if block.info == "sh"
    ]


def is_demo(words: list[str]) -> bool:
    """`./run` or `./run --for …`: its output is never the same twice."""
    return words[0] == "./run" and (len(words) == 1 or words[1].startswith("-"))


def offers(text: str) -> list[str]:
    """The rules of the offers that the demo printed, one for each line."""
    return [found[1] for line in text.splitlines() if (found := _OFFER.fullmatch(line))]


def test_every_command_does_what_is_shown_below_it(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "rules", tmp_path / "rules")
    ran = 0
    for block, below in shell():
        printed = ""
        for words in commands(block):
            arguments = program_arguments(words)
            if arguments is None or is_demo(words):
                continue
            done = run(arguments, tmp_path)
            assert (done.returncode, done.stderr) == (0, ""), f"{block}: {words}"
            printed += done.stdout
            ran += 1
        if printed:
            assert below is not None, f"{block}: what it prints is not shown"
            assert missing(below.text, printed) == [], f"{below}: shown, but not printed"
    assert ran >= 5


def test_the_scripts_own_commands_are_there() -> None:
    usage = subprocess.run([str(CHECKOUT / "run"), "help"], capture_output=True, text=True, check=True).stdout
    own = [words for block, _ in shell() for words in commands(block) if program_arguments(words) is None]
    assert [words for words in own if not re.search(rf"^\./run {words[1]}\b", usage, re.MULTILINE)] == []
    assert ["./run", "test"] in own


def test_the_demo_shows_what_the_page_says(tmp_path: Path) -> None:
    demo = [(words, below) for block, below in shell() for words in commands(block) if is_demo(words)]
    assert [words for words, _ in demo] == [["./run"], ["./run", "--for", "20s"]]
    words, below = demo[1]
    arguments = program_arguments(words)
    assert arguments is not None
    assert below is not None
    done = run(arguments, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()

    shown = offers(below.text)
    assert len(shown) >= 3
    assert len(set(offers(done.stdout))) >= 5, "offers by five rules or more"
    assert set(shown) <= {path.stem for path in (CHECKOUT / "rules").glob("*/*.yaml")}

    for head in _HEADS:
        assert any(line.startswith(head) for line in lines), head
    said = [line for line in below.text.splitlines() if line.startswith(("balance", "files"))]
    assert missing("\n".join(said), done.stdout, loose=True) == []

    out = tmp_path / "out"
    named = re.findall(r"\w+\.jsonl?", said[-1])
    assert sorted(path.name for path in out.iterdir()) == sorted(named)
    summary = orjson.loads((out / "summary.json").read_bytes())
    assert summary["balanced"]
    assert summary["refusal_reasons"] >= 5
    assert summary["offers_by_end"]["delivered"] > 0


def test_what_it_quotes_is_in_the_files() -> None:
    quoted = [block for block in blocks(PAGE) if block.info == "yaml"]
    assert len(quoted) >= 2
    for block in quoted:
        assert block.body in (CHECKOUT / block.file).read_text(encoding="utf-8"), str(block)
