"""Paths into messages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.message_path import Envelope, Path

MESSAGE: dict[str, Any] = {
    "a": {"b": {"c": 1}, "n": None},
    "list": [{"id": 1}, {"id": 2}, [3, 4]],
    "a.b": {"x y": 5},
    "中": 6,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b.c", 1),
        ("a.b", {"c": 1}),
        ("a.n", None),
        ("a.n.deeper", None),
        ("a.missing", None),
        ("list[0].id", 1),
        ("list[1].id", 2),
        ("list[-1][1]", 4),
        ("list[3]", None),
        ("list[-4]", None),
        ("list.id", None),
        ("a[0]", None),
        ('["a.b"]["x y"]', 5),
        ("中", 6),
        (".", MESSAGE),
        ("$", MESSAGE),
        ("$.a.b.c", 1),
        ("$.list[0].id", 1),
    ],
)
def test_what_is_found(path: str, found: Any) -> None:
    assert Path(path).get(MESSAGE) == found


@pytest.mark.parametrize(
    "path",
    [
        "",
        " ",
        ".a",
        "a.",
        "a..b",
        "a[",
        "a[x]",
        "a[]",
        "[0]b",
        'a["b"]c',
        "a b",
        "@",
        "@a",
        "@headers",
        "@key.x",
        "$a$",
        "@timestamp.x",
        "a" * 501,
    ],
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match=r"^expected "):
        Path(path)


def test_what_stands_around_a_message() -> None:
    envelope = Envelope(b"k\xff", 12, [("h", b"1"), ("h", b"2"), ("none", None)], "feed").as_dict()
    assert Path("@key").get(envelope) == "k�"
    assert Path("@timestamp").get(envelope) == 12
    assert Path("@topic").get(envelope) == "feed"
    assert Path("@headers.h").get(envelope) == "2"
    assert Path("@headers.none").get(envelope) is None
    assert Path("@timestamp").get(Envelope().as_dict()) is None


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_a_path_never_fails(message: Any) -> None:
    for text in ("a", "a.b", "a[0].b", "[-1]", '["a"]'):
        Path(text).get(message)
        Path(text).is_null(message)


def test_a_null_is_told_from_nothing() -> None:
    assert Path("a.n").is_null(MESSAGE)
    assert not Path("a.missing").is_null(MESSAGE)
    assert not Path("a.b").is_null(MESSAGE)
    assert not Path("x.y").is_null(MESSAGE)
