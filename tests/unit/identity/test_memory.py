"""The memory of steps: bounds, and one contract for both shelves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.memory_file import MemoryFile
from engine.errors import LogError, SettingsError, StateError
from engine.treatments.memory import Memories, Memory, MemoryShelf, Shelf

CHECK = "0123456789abcdef"


@pytest.fixture(params=["memory", "file"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    if request.param == "memory":
        yield MemoryShelf()
        return
    file = MemoryFile(tmp_path / "memory.db", CHECK)
    yield file
    file.close()


def test_what_lapses_is_forgotten_and_use_keeps_it() -> None:
    memory = Memory("m", ttl=800, at_most=10)
    memory.put("a", (0, "x"))
    assert memory.get("a", 800) == (0, "x")
    memory.use("a", (0, "x"), 50)  # within the part that need not be noted
    assert memory.get("a", 801) is None
    memory.put("a", (0, "x"))
    memory.use("a", (0, "x"), 101)
    assert memory.get("a", 801) == (101, "x")
    assert memory.counts == {"lapsed": 1}


def test_what_was_used_longest_ago_gives_way() -> None:
    memory = Memory("m", ttl=800, at_most=2)
    memory.put("a", (0,))
    memory.put("b", (0,))
    memory.put("a", (1,))
    memory.put("c", (2,))
    assert [key for key, _ in memory.items()] == ["a", "c"]
    assert memory.counts == {"pushed_out": 1}
    assert memory.changed == {"a": (1,), "b": None, "c": (2,)}


def test_a_shelf_goes_back_to_a_mark(shelf: Shelf) -> None:
    assert list(shelf.go_back(0)) == []
    shelf.save(1, {"m": {"a": (1, "x"), "b": (2,)}})
    shelf.save(2, {"m": {"a": None, "c": (3,)}, "n": {"a": (4,)}})
    shelf.save(3, {"m": {"a": (5, "y"), "c": (6,)}})
    assert list(shelf.go_back(3)) == [
        ("m", "b", (2,)),
        ("n", "a", (4,)),
        ("m", "a", (5, "y")),
        ("m", "c", (6,)),
    ]
    assert list(shelf.go_back(1)) == [("m", "a", (1, "x")), ("m", "b", (2,))]
    shelf.save(2, {"m": {"d": (7,)}})
    assert [key for _, key, _ in shelf.go_back(2)] == ["a", "b", "d"]
    assert list(shelf.go_back(0)) == []


def test_a_shelf_that_never_came_so_far_gives_what_it_has(shelf: Shelf) -> None:
    shelf.save(1, {"m": {"a": (1,)}})
    assert list(shelf.go_back(9)) == [("m", "a", (1,))]


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abcd"), st.integers(0, 9)),
        st.tuples(st.just("forget"), st.sampled_from("abcd"), st.just(0)),
        st.tuples(st.just("pack"), st.just(""), st.just(0)),
        st.tuples(st.just("crash"), st.just(""), st.just(0)),
    ),
    max_size=40,
)


@given(_steps)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_crash_takes_back_what_was_not_packed(
    kind: str, tmp_path: Path, steps: list[tuple[str, str, int]]
) -> None:
    path = tmp_path / "memory.db"
    path.unlink(missing_ok=True)
    shelf: Shelf = MemoryShelf() if kind == "memory" else MemoryFile(path, CHECK)
    memories = Memories(shelf)
    memory = memories.memory("m", 1_000, 3)
    memories.restore(None)
    packed: dict[str, int] | None = None
    kept: list[tuple[str, object]] = []
    for deed, key, value in steps:
        if deed == "put":
            memory.put(key, (value,))
        elif deed == "forget":
            memory.forget(key)
        elif deed == "pack":
            packed, kept = memories.pack(), list(memory.items())
        else:
            memories.pack()  # of a step that is never committed
            memories = Memories(shelf)
            memory = memories.memory("m", 1_000, 3)
            memories.restore(packed)
            assert list(memory.items()) == kept
    if isinstance(shelf, MemoryFile):
        shelf.close()


def test_with_a_lower_bound_the_newest_are_read_in_and_the_others_leave_the_shelf(shelf: Shelf) -> None:
    memories = Memories(shelf)
    memory = memories.memory("m", 1_000, 10)
    memories.restore(None)
    for number in range(10):
        memory.put(f"k{number}", (number,))
    memory.put("k0", (10,))
    packed = memories.pack()
    for _ in range(2):
        memories = Memories(shelf)
        memory = memories.memory("m", 1_000, 3)
        memories.restore(packed)
        assert [key for key, _ in memory.items()] == ["k8", "k9", "k0"]
        packed = memories.pack()
    assert memories.counts["m.pushed_out"] == 0, "the shelf does not hold them any more"
    assert len(list(shelf.go_back(packed["mark"]))) == 3
    memory.put("k10", (11,))
    assert [key for key, _ in memory.items()] == ["k9", "k0", "k10"]


def test_a_file_serves_the_next_process(tmp_path: Path) -> None:
    first = MemoryFile(tmp_path / "memory.db", CHECK)
    memories = Memories(first)
    memories.memory("m", 10, 10).put("a", (1, "x"))
    packed = memories.pack()
    first.close()
    second = MemoryFile(tmp_path / "memory.db", CHECK)
    again = Memories(second)
    memory = again.memory("m", 10, 10)
    again.restore(packed)
    assert list(memory.items()) == [("a", (1, "x"))]
    assert again.counts == {"m.entries": 1}
    second.close()


def test_files_that_cannot_serve_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    MemoryFile(path, CHECK).close()
    with pytest.raises(SettingsError, match="expected a memory of this TOUCHPOINT_KEY, was of another"):
        MemoryFile(path, "another")
    with pytest.raises(SettingsError, match="expected a file that can be written"):
        MemoryFile(tmp_path / "no" / "memory.db", CHECK)
    (tmp_path / "text.db").write_text("this is no database, however long it may be" * 100)
    with pytest.raises(StateError, match="move it away to begin with an empty memory"):
        MemoryFile(tmp_path / "text.db", CHECK)
    file = sqlite3.connect(path)
    with file:
        file.execute("UPDATE about SET value = '0' WHERE name = 'version'")
    file.close()
    with pytest.raises(StateError, match="expected a memory of version 1, was 0"):
        MemoryFile(path, CHECK)


def test_a_file_that_cannot_be_written_is_waited_for(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path / "memory.db", CHECK)
    file.close()
    with pytest.raises(LogError, match=r"memory\.db: expected a file that can be written"):
        file.save(1, {"m": {"a": (1,)}})


def test_forgetting_somebody_forgets_them_everywhere() -> None:
    memories = Memories()
    one, two = memories.memory("one", 10, 10), memories.memory("two", 10, 10)
    one.put("a", (1,))
    two.put("a", (1,))
    two.put("b", (1,))
    memories.forget(["a"])
    assert (len(one), len(two)) == (0, 1)
