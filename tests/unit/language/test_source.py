"""YAML to nodes that know where they stand."""

from __future__ import annotations

import pytest

from engine.language.source import MAX_BYTES, Mapping, Scalar, plain, read


def test_every_scalar_stays_the_string_that_was_written() -> None:
    source = read(
        "a.yaml", 'a: 22:30\nb: NO\nc: 010\non: 1.0\nd: ~\ne: 2026-09-01\nf: "x\\ty"\ng: [yes, 1_000]\n'
    )
    assert source.root is not None
    assert plain(source.root) == {
        "a": "22:30", "b": "NO", "c": "010", "on": "1.0", "d": "~", "e": "2026-09-01", "f": "x\ty",
        "g": ["yes", "1_000"],
    }  # fmt: skip


def test_nodes_know_where_they_stand() -> None:
    source = read("a.yaml", "a:\n  - b: 你好\n")
    assert isinstance(source.root, Mapping)
    problem = source.problem("R101", source.root, "x")
    assert (problem.line, problem.col, problem.end) == (1, 1, 2)
    inner = source.root.entries["a"][1]
    problem = source.problem("R101", inner, "x")
    assert (problem.line, problem.col, problem.end, problem.source) == (2, 3, 10, "  - b: 你好")


@pytest.mark.parametrize(
    ("text", "line", "col"),
    [
        ("a: x {p} {p}\n", 1, 10),
        ("a: 'it''s {p} {p}'\n", 1, 15),
        ("a: |\n  {p}\n  x {p}\n", 3, 5),
        ("a: >\r\n  {p}\r\n  你 {p}\r\n", 3, 5),
        ('a: "{p}\\n{p}"\n', 1, 10),
    ],
)
def test_a_part_of_a_text_is_found_in_every_style(text: str, line: int, col: int) -> None:
    source = read("a.yaml", text)
    assert isinstance(source.root, Mapping)
    node = source.root.entries["a"][1]
    assert isinstance(node, Scalar)
    problem = source.problem_inside("R302", node, "{p}", 1, "x")
    assert (problem.line, problem.col, problem.end - problem.col) == (line, col, 3)


def test_a_part_written_with_escapes_marks_the_whole() -> None:
    source = read("a.yaml", 'a: "\\x7bp}"\n')
    assert isinstance(source.root, Mapping)
    node = source.root.entries["a"][1]
    assert isinstance(node, Scalar)
    problem = source.problem_inside("R302", node, "{p}", 0, "x")
    assert (problem.line, problem.col) == (1, 4)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: *b", "R003"),
        ("a: &b c", "R003"),
        ("a: !!int 5", "R003"),
        ("<<: {a: b}\na: &x y", "R003"),
        ("[a]: b", "R001"),
        ("a: b\n---\na: d", "R001"),
        ("a: \ud800", "R001"),
        ("a: \x07", "R001"),
        ('a: "\\0"', "R001"),
        ("a: {", "R001"),
        ("[" * 50_000, "R004"),
        ("{a: " * 30, "R004"),
        ("- a\n" * 50_001, "R004"),
        ("x" * (MAX_BYTES + 1), "R004"),
        ("你" * (MAX_BYTES // 2), "R004"),
    ],
)
def test_what_is_refused(text: str, code: str) -> None:
    source = read("a.yaml", text)
    assert source.root is None
    assert [problem.code for problem in source.problems] == [code]


def test_the_first_of_two_equal_keys_counts_and_the_second_is_reported() -> None:
    source = read("a.yaml", "a: 1\nb: 2\na: 3\n")
    assert source.root is not None
    assert plain(source.root) == {"a": "1", "b": "2"}
    (problem,) = source.problems
    assert (problem.code, problem.line, problem.col) == ("R002", 3, 1)
    assert problem.message == "`a` is given twice; first at line 1"


def test_a_byte_order_mark_and_json_are_read() -> None:
    source = read("a.yaml", '\ufeff{"a": ["at least 5", "\\u4f60"]}')
    assert source.root is not None
    assert plain(source.root) == {"a": ["at least 5", "你"]}


def test_an_empty_file_has_no_root_and_no_problem() -> None:
    assert read("a.yaml", "# nothing\n").root is None
    assert read("a.yaml", "").problems == ()
