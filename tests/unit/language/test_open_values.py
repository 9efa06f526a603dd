"""Values of fields without a closed list: what can't be one value as it is written is told."""

from __future__ import annotations

import pytest
import yaml
from jsonschema import Draft7Validator

from engine.language.editor.files import RULE, schema
from engine.language.editor.vocabulary import vocabulary
from engine.language.loader import read_names
from engine.language.problems import Problem
from tests.unit.language.texts import codes, files, load, rule_text

LIST = "write several as a list: `[do-not-disturb, complained-90d]`"
WORD = "did you mean `do-not-disturb`?"

ODD = [
    ("do-not-disturb, complained-90d", LIST),
    ("do-not-disturb，complained-90d", LIST),
    ("do-not-disturb、complained-90d", LIST),
    ("do-not-disturb；complained-90d", LIST),
    ("do-not-disturb; complained-90d", LIST),
    ("do-not-disturb | complained-90d", LIST),
    ("do-not-disturb｜complained-90d", LIST),
    ("do-not-disturb or complained-90d", LIST + "; quote it if it is one value"),
    ("do-not-disturb AND complained-90d", LIST + "; quote it if it is one value"),
    ("“do-not-disturb”", WORD),
    ("‘do-not-disturb’", WORD),
    ("“do-not-disturb”，“complained-90d”", LIST),
    ("do-not-disturb]", WORD),
    ("【do-not-disturb】", WORD),
    ("not [do-not-disturb, complained-90d]", "lists of what is not wanted go under `except` or `unless`"),
    ("\u00a0do-not-disturb", WORD),
    ("do-not-disturb\u00a0", WORD),
    ("do-not\u200b-disturb", WORD),
    ("do-not-disturb\u2060", WORD),
    ("\u202edo-not-disturb", WORD),
    ("do\u2011not\u2011disturb", WORD),
    ("do–not–disturb", WORD),
    ('"do-not-disturb, complained-90d"', LIST),
    ('"[do-not-disturb, complained-90d]"', LIST),
    ("'\"do-not-disturb\"'", WORD),
    ('"do-not-disturb\\n"', WORD),
    ("|\n    do-not-disturb", WORD),
]


def problem(text: str) -> Problem:
    loaded = load(text)
    assert loaded.ruleset is None
    (found,) = loaded.problems
    return found


@pytest.mark.parametrize(("written", "hint"), ODD)
def test_what_nobody_can_have_is_an_error_at_the_value(written: str, hint: str) -> None:
    for section in ("who", "except"):
        text = rule_text().replace(f"{section}: {{}}", f"{section}:\n  tags: {written}")
        found = problem(text)
        assert (found.code, found.severity, found.hint) == ("R208", "error", hint)
        line = text.splitlines().index(f"  tags: {written.splitlines()[0]}") + 1
        assert (found.line, found.col) == (line, len("  tags: ") + 1)


def test_members_of_lists_and_fields_of_events_are_asked_too() -> None:
    member = problem(rule_text(who="{tags: [student, “do-not-disturb”]}"))
    assert (member.code, member.hint) == ("R208", WORD)
    flag = problem(rule_text("{happens: call.out, where: {quality: 'late, dup'}}"))
    assert (flag.code, flag.hint) == ("R208", "write several as a list: `[late, dup]`")
    city = problem(rule_text().replace("who: {}", "who:\n  city: 北京，上海"))
    assert (city.code, city.hint) == (
        "R208", "write several as a list: `[北京, 上海]`; quote it if it is one value"
    )  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "tags: student",
        "tags: heavy user",
        "tags: 5G用户（测试）",
        "tags: 4G/5G",
        "tags: King’s club",
        "tags: 'food and drink'",
        "tags: not student",
        "city: Mont-Saint-Michel",
        "city: 'Normal, unspecified'",
        "city: '16 [normal]'",
        "city: over the hills",
        "city: Tyne and Wear",
        "city: King’s Lynn",
        "city: مى\u200cخواهم",
        "city: ❤\ufe0f",
    ],
)
def test_what_may_be_one_value_is_one(line: str) -> None:
    assert codes(load(rule_text(who="{" + line + "}"))) == []


def test_an_editor_marks_what_it_can_tell() -> None:
    known = read_names(files(rule_text()))
    check = Draft7Validator(schema(RULE, vocabulary(known.names, known.policy, known.rules)))
    for tags, marked in (
        ("a, b", True),
        ("“a”", True),
        ("a\u00a0", True),
        ("a\u2011b", True),
        ("not [a]", True),
        (["a", "b、c"], True),
        ("heavy user（测试）", False),
        ("not a-b", False),
        (5, False),
        (["4G/5G", "food and drink"], False),
    ):
        rule = yaml.safe_load(rule_text())
        rule["who"] = {"tags": tags}
        wrong = [error for error in check.iter_errors(rule) if "who" in error.absolute_path]
        assert bool(wrong) is marked, tags
