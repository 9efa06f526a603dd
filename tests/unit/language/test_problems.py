"""How a problem is shown, and what it proposes."""

from __future__ import annotations

import orjson

from engine.language.problems import SHOWN_LINE, Problem, render, width
from engine.language.suggest import closest, did_you_mean


def show(source: str, col: int, end: int) -> list[str]:
    return Problem("f.yaml", 7, col, end, "R101", "wrong", source=source).pretty().split("\n")


def test_one_line_and_json() -> None:
    problem = Problem("f.yaml", 7, 3, 5, "R101", "wrong", "a hint", "warning", "  ab")
    assert str(problem) == "f.yaml:7:3: warning: wrong [R101]"
    assert orjson.loads(orjson.dumps(problem.to_json()))["hint"] == "a hint"


def test_the_caret_stands_right_under_wide_characters() -> None:
    _, line, caret = show("你好 ab", 4, 6)
    assert line == "7 | 你好 ab"
    assert caret == "  |      ^~"
    assert width(line.split("| ")[1][:3]) == len(caret.split("| ")[1].rstrip("^~"))


def test_the_mark_is_as_wide_as_what_it_marks() -> None:
    assert show("x 你好", 3, 5)[2] == "  |   ^~~~"
    assert show("e\u0301x", 3, 4)[2] == "  |  ^"


def test_tabs_keep_their_width() -> None:
    assert show("\tab", 2, 4)[2] == "  | \t^~"


def test_a_point_and_the_end_of_a_line() -> None:
    assert show("ab", 3, 3)[2] == "  |   ^"
    assert show("", 1, 1) == ["f.yaml:7:1: wrong [R101]"]


def test_of_a_long_line_the_part_around_the_caret_is_shown() -> None:
    source = "x" * 5_000 + "WRONG" + "y" * 5_000
    _, line, caret = show(source, 5_001, 5_006)
    assert len(line) < SHOWN_LINE + 10
    at = caret.index("^")
    assert line[at : at + 5] == "WRONG"
    assert caret[at:] == "^~~~~"


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in "".join(show("a\x1b[2Jb", 1, 2))


def test_the_report_ends_with_the_count() -> None:
    problem = Problem("f.yaml", 1, 1, 1, "R101", "wrong")
    assert render([problem], 2) == "f.yaml:1:1: wrong [R101]\n\n2 rules, 1 problem\n"
    assert render([], 1) == "1 rule, 0 problems\n"


def test_did_you_mean() -> None:
    assert closest("hapens", ["happens", "enters"]) == "happens"
    assert closest("Gold", ["gold", "vip"]) == "gold"
    assert closest("MZone", ["GoTone", "M-Zone"]) == "M-Zone"
    assert closest("campus", ["campus-north", "campuses"]) == "campuses"
    assert closest("stays_ni", ["stays_in"]) == "stays_in"
    assert closest("wechat", ["sms", "mms", "manual"]) is None
    assert closest("x", ["a", "b"]) is None
    assert did_you_mean("wechat", ["sms", "mms"]) == "one of: `sms`, `mms`"
    assert did_you_mean("wechat", [f"channel-{n}" for n in range(50)]) == ""
    assert did_you_mean("x", []) == ""
