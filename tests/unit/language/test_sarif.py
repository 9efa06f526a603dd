"""Problems as SARIF: of the shape that the standard asks for, with the positions that `check` names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from engine.language.checks.codes import ALL
from engine.language.loader import load_texts
from engine.language.problems import Problem
from engine.language.sarif import sarif
from tests.unit.language.texts import files, rule_text

TEXT = {"type": "object", "required": ["text"], "additionalProperties": False, "properties": {
    "text": {"type": "string", "minLength": 1}, "markdown": {"type": "string"}}}  # fmt: skip
LEVEL = {"enum": ["none", "note", "warning", "error"]}


def record(required: str, **properties: Any) -> dict[str, Any]:
    """A JSON object with these properties and no others, as most objects of SARIF are."""
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": properties,
    }


def some(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


NUMBER = {"type": "integer", "minimum": 1}
REGION = record(
    "startLine", startLine=NUMBER, startColumn=NUMBER, endLine=NUMBER, endColumn=NUMBER, snippet=TEXT
)
PLACE = record("", artifactLocation=record("", uri={"type": "string"}), region=REGION)
RESULT = record(
    "message",
    ruleId={"type": "string"},
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=TEXT,
    locations=some(record("", physicalLocation=PLACE)),
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
)
RULE = record(
    "id",
    id={"type": "string"},
    shortDescription=TEXT,
    help=TEXT,
    helpUri={"type": "string", "pattern": "^[a-z][a-z0-9+.-]*:"},
    defaultConfiguration=record("", level=LEVEL),
)
DRIVER = record("name", name={"type": "string"}, version={"type": "string"}, rules=some(RULE))
RUN = record(
    "tool",
    tool=record("driver", driver=DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results=some(RESULT),
)
SHAPE = {**record("version runs", version={"const": "2.1.0"}, runs=some(RUN)), "additionalProperties": True}
"""The parts of the schema of SARIF 2.1.0 that we write, as strict as it is."""

WIDE = Problem("规则/a b.yaml", 3, 6, 8, "R204", "no place `x`", "did you mean `y`?", source="  你好: xy")
POINT = Problem("r.yaml", 1, 1, 1, "R303", "long", severity="warning")


def results(*problems: Problem) -> list[Any]:
    written = sarif(problems, "1.2.3")
    Draft7Validator(SHAPE).validate(written)
    found: list[Any] = written["runs"][0]["results"]
    return found


def test_a_problem_has_its_place_and_its_level() -> None:
    wide, point = results(WIDE, POINT)
    place = wide["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "%E8%A7%84%E5%88%99/a%20b.yaml"
    region = place["region"]
    assert (region["startLine"], region["startColumn"], region["endColumn"]) == (3, 6, 8)
    assert region["snippet"] == {"text": "  你好: xy"}
    assert wide["message"]["text"] == "no place `x`; hint: did you mean `y`?"
    assert (wide["level"], point["level"]) == ("error", "warning")
    assert "snippet" not in point["locations"][0]["physicalLocation"]["region"]


def test_columns_count_characters_where_utf_16_takes_two() -> None:
    """Three emoji before the problem: each is one column by `columnKind`, and two units of UTF-16."""
    line = 'who: {tier: ["😀😀😀", vipp]}'
    loaded = load_texts(files(rule_text().replace("who: {}", line)))
    found = [problem for problem in loaded.problems if "vipp" in problem.message]
    run = sarif(found, "1.2.3")["runs"][0]
    assert run["columnKind"] == "unicodeCodePoints"
    [result] = run["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region["snippet"]["text"] == line
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == "vipp"


def test_every_code_is_a_rule_with_a_page() -> None:
    run = sarif([WIDE], "1.2.3")["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(ALL)
    assert rules[run["results"][0]["ruleIndex"]]["id"] == "R204"
    assert all("helpUri" not in rule for rule in rules)  # it would have to be absolute


def test_a_fingerprint_outlives_lines_above_and_tells_two_alike_apart() -> None:
    moved = Problem("r.yaml", 9, 1, 1, "R303", "long", severity="warning")
    prints = [result["partialFingerprints"]["problem/v1"] for result in results(POINT, moved)]
    assert prints[0] == results(moved)[0]["partialFingerprints"]["problem/v1"]
    assert prints[0] != prints[1]


def test_an_absolute_path_is_a_file_uri(tmp_path: Path) -> None:
    [found] = results(Problem(str(tmp_path / "r.yaml"), 1, 1, 1, "R001", "empty"))
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///")
