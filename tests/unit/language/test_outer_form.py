"""A file whose outer form is broken: each mistake once, where it was made, and the rest is read on."""

from __future__ import annotations

import pytest

from engine.language.complaint import Complaint
from engine.language.outer_form import unclosed
from engine.language.source import Mapping, Source, read
from tests.unit.language.texts import codes, load, rule_text


def told(text: str) -> list[tuple[int, int, str, str]]:
    """Return line, column, what is wrong and the hint of each problem."""
    problems = read("r.yaml", text).problems
    start = "this is not valid YAML: "
    return [(p.line, p.col, p.message.removeprefix(start), p.hint) for p in problems]


def keys(source: Source) -> list[str]:
    return list(source.root.entries) if isinstance(source.root, Mapping) else []


def test_one_space_before_the_first_key_is_told_once_where_it_stands() -> None:
    text = rule_text().replace("rule: r", " rule: r", 1)
    loaded = load(text)
    assert [(problem.line, problem.col, problem.code) for problem in loaded.problems] == [(1, 1, "R001")]
    said = "this line is indented, but line 2 and what follows are not"
    assert told(text) == [(1, 1, said, "delete the spaces before it")]


def test_the_rest_of_a_rule_with_an_indented_first_line_is_checked() -> None:
    text = rule_text(who="{brend: GoTone}").replace("rule: r", "  rule: r", 1)
    assert codes(load(text)) == ["R001", "R206"]
    text = "# a comment\n\n  " + rule_text(who="{brend: GoTone}").replace("title", "  title", 1)
    assert [(p.line, p.code) for p in load(text).problems] == [(3, "R001"), (10, "R206")]


def test_one_line_that_is_not_indented_among_many_that_are() -> None:
    said = "this line is not indented, but those above it are"
    hint = "the keys of one mapping start in one column"
    text = "  a: 1\n  b: 2\n  c: 3\nd: 4\n  e: 5\n"
    assert told(text) == [(4, 1, said, hint)]
    assert keys(read("r.yaml", text)) == ["a", "b", "c", "e"]
    assert read("r.yaml", text).broken == {"d"}
    assert told("  a: 1\n  b: 2\n  c: 3\nd: 4\n") == [(4, 1, said, hint)]


@pytest.mark.parametrize(("mark", "does"), [("...", "ends"), ("---", "starts")])
def test_a_mark_of_documents_in_the_middle_is_told_and_the_file_read_on(mark: str, does: str) -> None:
    text = rule_text(who="{brend: GoTone}").replace("\nwhen:", f"\n{mark}\nwhen:")
    assert [(p.line, p.col, p.code) for p in load(text).problems] == [(7, 1, "R001"), (9, 7, "R206")]
    inside = f"a: [1,\n{mark}\n 2]\nb: 3\n"
    told_inside = f"`{mark}` {does} a document here, in the middle of the file"
    assert told(inside) == [(2, 1, told_inside, "delete this line")]
    assert keys(read("r.yaml", inside)) == ["a", "b"]
    assert told(f'a: "x\n{mark}\n y"\n') == [(2, 1, told_inside, "delete this line")]


def test_two_rules_in_one_file_are_told_once() -> None:
    text = rule_text() + "---\n" + rule_text()
    [(line, col, said, hint)] = told(text)
    assert (line, col) == (rule_text().count("\n") + 1, 1)
    assert said == "a file holds one document, but here a second one starts"
    assert hint == "put each rule into a file of its own"
    assert codes(load(text)) == ["R001"]


@pytest.mark.parametrize(
    ("text", "line", "col", "said"),
    [
        ("a: 1\n%b: 2\nc: 3\n", 2, 1, "no line starts with `%`"),
        ("%: {a: 1}\nb: 2\n", 1, 1, "no line starts with `%`"),
        ("{a: 1}\nb: 2\n", 1, 1, "what opens with this `{` ends before line 2, but the file goes on"),
        ("a: {\n  - b\n", 1, 4, "this `{` is not closed"),
        ("a:\n  - {b: [1, {c: 2}\n  - d\n", 2, 9, "this `[` is not closed"),
        ("a: {b: - 1}\n", 1, 8, "a `-` can't stand alone between `{` and `}`"),
        ("a: {b: ?}\n", 1, 8, "a `?` can't stand alone between `{` and `}`"),
        ("a: {b: :}\n", 1, 8, "there is no key before this `:`"),
        ("a: ?\nb: 1\n", 1, 4, "no text starts with `?`"),
        ("a: 1\n|: 2\n", 2, 1, "behind this `|` nothing may stand in its line"),
        ("a: >b\nc: 1\n", 1, 4, "behind this `>` nothing may stand in its line"),
        ("a: |0\n  b\n", 1, 4, "behind this `|` nothing may stand in its line"),
        ("a: |-0\n  b\nc: 1\n", 1, 4, "behind this `|` nothing may stand in its line"),
        ("a: !}\nb: 1\n", 1, 4, "no text starts with `!`"),
        ("x" * 2_000 + ": 1\nb: 2\n", 1, 1, "a key is at most 1,024 characters long"),
        ('a: "\\uD800"\n', 1, 5, "`\\uD800` stands for no character"),
        ('a: "\\U00110000"\n', 1, 5, "`\\U00110000` stands for no character"),
        ('a: "\\u12"\n', 1, 5, "`\\u` needs 4 digits, was `\\u12`"),
        ('a: "\\p"\n', 1, 5, "`\\p` means nothing between double quotes"),
    ],
)  # fmt: skip
def test_what_else_is_told_in_plain_words(text: str, line: int, col: int, said: str) -> None:
    found = told(text)
    assert (line, col, said) in [each[:3] for each in found]
    assert found[0][3]
    assert len({each[:3] for each in found}) == len(found)


@pytest.mark.parametrize(
    ("text", "open_at"),
    [
        ("a: {b: 1}", None),
        ("a: {b: [1", (0, 7)),
        ("a: {b: '}', c", (0, 3)),
        ('a: {b: "\\"}", c', (0, 3)),
        ("a: {b: 1 # }", (0, 3)),
        ("a: text [with", None),
        ("b: [\na: 1", None),
        ("a:\n  - [1\n  - 2", (1, 4)),
    ],
)
def test_what_is_open_at_the_end(text: str, open_at: tuple[int, int] | None) -> None:
    lines = text.split("\n")
    assert unclosed(lines, len(lines) - 1, len(lines[-1])) == open_at
    assert unclosed(lines, len(lines), 0) == open_at


def test_a_complaint_knows_the_first_line_that_holds_something() -> None:
    assert Complaint("", ["", "# a", "b"], 0, 0).first() == 2
    assert Complaint("", ["", "# a"], 0, 0).first() is None
