"""Which files make a set of rules, and what comes of them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.language.loader import load_dir, load_texts
from engine.language.model import After, StaysIn
from tests.unit.language.texts import CATALOG, POLICY, codes, files, good, load, rule_text

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_examples_load_without_a_problem() -> None:
    loaded = load_dir(EXAMPLES / "rules")
    rules = good(loaded).rules
    assert len(rules) == loaded.rule_files == 12
    assert sum(len(test.cases) for test in loaded.tests) == 19
    silent = rules["campus-silent"].when
    assert isinstance(silent, After)
    assert rules["campus-silent"].path == "campus/campus-silent.yaml"
    assert isinstance(rules["mall-dwell"].when, StaysIn)
    assert rules["mall-dwell"].status == "shadow"


def test_the_hash_is_that_of_what_decides() -> None:
    texts = files(rule_text())
    first = good(load_texts(texts)).hash
    assert len(first) == 32
    assert good(load_texts(dict(reversed(texts.items())))).hash == first
    assert good(load_texts({**texts, "notes.txt": "x", "r.test.yaml": TESTS})).hash == first
    changed = [
        {**texts, "r.yaml": texts["r.yaml"] + "# a comment\n"},
        {**texts, "catalog/cells/south.csv": texts["catalog/cells/south.csv"] + "460-00-2-3\n"},
        {"team/r.yaml" if path == "r.yaml" else path: text for path, text in texts.items()},
    ]
    assert len({first, *(good(load_texts(each)).hash for each in changed)}) == 4


TESTS = """\
tests: r
starts: 2026-09-05 10:00
cases:
  - {case: in, events: [{at: +0m, enters: north}], expect: [{at: +0m, offer: pack}]}
"""


def test_an_error_in_a_rule_leaves_no_set_and_all_problems_are_told_sorted() -> None:
    texts = {**files(rule_text("{enters: nort}", who="{arpu: 5}")), "a.yaml": "rule: b"}
    loaded = load_texts(texts)
    assert loaded.ruleset is None
    assert [(p.path, p.line) for p in loaded.problems] == [
        ("a.yaml", 1),
        ("a.yaml", 1),
        ("r.yaml", 7),
        ("r.yaml", 8),
    ]
    assert load_texts(texts).problems == loaded.problems


def test_an_error_in_a_test_does_not_stop_the_engine() -> None:
    loaded = load_texts({**files(rule_text()), "r.test.yaml": TESTS.replace("north", "nort")})
    assert codes(loaded) == ["R204"]
    assert loaded.ruleset is not None
    assert loaded.tests == ()


def test_codes_can_be_left_out() -> None:
    texts = files(rule_text(send="{channel: sms, text: hi}"))
    assert codes(load_texts(texts)) == ["R304", "R305"]
    assert load_texts(texts, ignore={"R304", "R305"}).ruleset is not None


def test_a_missing_policy_or_catalogue_is_told_once() -> None:
    rule = rule_text(limits=", only_one_of: upsell")
    loaded = load_texts({**CATALOG, "r.yaml": rule})
    assert [(p.path, p.code) for p in loaded.problems] == [("policy.yaml", "R005")]
    loaded = load_texts({"policy.yaml": "window: 48h", "r.yaml": "rule: r"})
    assert [(p.path, p.code) for p in loaded.problems] == [("catalog", "R005"), ("r.yaml", "R102")]


def test_two_rules_of_one_name_and_a_rule_of_another_name_than_its_file() -> None:
    texts = files(rule_text())
    assert codes(load_texts({**texts, "b/r.yaml": texts["r.yaml"]})) == ["R501"]
    # the one in the wrong file is told, and the other is none the worse for it, whichever comes first
    for path in ("s.yaml", "a/s.yaml"):
        loaded = load_texts({**texts, path: texts["r.yaml"]})
        assert [(one.path, one.code) for one in loaded.problems] == [(path, "R201")]


def test_home_country_of_numbers() -> None:
    texts = files(rule_text())
    texts["catalog/numbers.yaml"] = "hotline: [+49 151]"
    loaded = load_texts(texts, home_cc="49")
    assert good(loaded).catalog.numbers == {"hotline": ("151",)}


def test_a_small_set_loads_in_about_a_millisecond() -> None:
    texts = files(rule_text())
    load_texts(texts)
    took = []
    for _ in range(20):
        begin = time.perf_counter()
        load_texts(texts)
        took.append(time.perf_counter() - begin)
    assert min(took) < 0.005  # 0.3 ms on an idle machine


# -- folders -------------------------------------------------------------------------------------------------


def write(root: Path, texts: dict[str, str]) -> Path:
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def test_a_folder_is_what_its_texts_are(tmp_path: Path) -> None:
    texts = {**files(rule_text()), "r.test.yaml": TESTS, ".hidden/x.yaml": "no: rule", ".y.yaml": "no: rule"}
    loaded = load_dir(write(tmp_path, texts))
    assert good(loaded).hash == good(load_texts(files(rule_text()))).hash
    assert [test.rule for test in loaded.tests] == ["r"]


def test_problems_name_files_as_the_folder_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "rules", files(rule_text("{enters: nort}"), policy=POLICY + "x: y\n"))
    monkeypatch.chdir(tmp_path)
    loaded = load_dir(Path("rules"))
    assert [p.path for p in loaded.problems] == ["rules/policy.yaml", "rules/r.yaml"]


def test_one_file_or_a_folder_within_finds_the_house_above(tmp_path: Path) -> None:
    texts = files("")
    texts["team/r.yaml"] = rule_text()
    texts["team/s.yaml"] = "broken: ["
    texts["team/r.test.yaml"] = TESTS
    del texts["r.yaml"]
    write(tmp_path, texts)
    assert list(good(load_dir(tmp_path / "team" / "r.yaml")).rules) == ["r"]
    tested = load_dir(tmp_path / "team" / "r.test.yaml")
    assert list(good(tested).rules) == ["r"]
    assert len(tested.tests) == 1
    assert codes(load_dir(tmp_path / "team")) == ["R001"]


def test_rules_of_one_folder_over_the_catalogue_of_another(tmp_path: Path) -> None:
    write(tmp_path / "house", files(rule_text()))
    write(tmp_path / "mine", {"r.yaml": rule_text(who="{arpu: over 5 yuan}"), "policy.yaml": "not: read"})
    loaded = load_dir(tmp_path / "mine", catalog=tmp_path / "house")
    assert good(loaded).rules["r"].who[0].field == "arpu"
    assert good(loaded).policy.groups


def test_files_that_are_no_text(tmp_path: Path) -> None:
    write(tmp_path, files(rule_text()))
    (tmp_path / "latin.yaml").write_bytes("rule: caf\xe9".encode("latin-1"))
    (tmp_path / "large.yaml").write_text("#" * 300_000)
    loaded = load_dir(tmp_path)
    assert codes(loaded) == ["R004", "R006"]
    assert loaded.ruleset is None


def test_a_policy_that_can_not_be_read_is_not_missing_too(tmp_path: Path) -> None:
    write(tmp_path, files(rule_text()))
    (tmp_path / "policy.yaml").write_bytes("timezone: caf\xe9".encode("latin-1"))
    assert codes(load_dir(tmp_path)) == ["R006"]


def test_pipes_and_devices_are_told_and_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path, files(rule_text()))
    os.mkfifo(tmp_path / "pipe.yaml")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "zero.test.yaml").symlink_to("/dev/zero")
    (tmp_path / "catalog" / "cells" / "zero.csv").symlink_to("/dev/zero")
    (tmp_path / "nowhere.yaml").symlink_to("no-such-file.yaml")
    found = [(Path(problem.path).name, problem.message) for problem in load_dir(tmp_path).problems]
    odd = "this is no file, but a pipe, device or folder"
    assert sorted(found) == [
        ("nowhere.yaml", "this file can't be read: No such file or directory"),
        ("pipe.yaml", odd), ("zero.csv", odd), ("zero.test.yaml", odd),
    ]  # fmt: skip
    alone = [Path(problem.path).name for problem in load_dir(tmp_path / "pipe.yaml").problems]
    assert alone == ["zero.csv", "pipe.yaml"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a folder or file that exists"):
        load_dir(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"policy\.yaml and catalog/"):
        load_dir(tmp_path, catalog=tmp_path / "nothing")


def test_no_house_anywhere(tmp_path: Path) -> None:
    write(tmp_path, {"r.yaml": "rule: r"})
    loaded = load_dir(tmp_path)
    assert [Path(p.path).name for p in loaded.problems] == ["catalog", "policy.yaml", "r.yaml"]


def test_an_unreadable_file_of_the_catalogue_hides_no_other_problem() -> None:
    loaded = load(rule_text("{enters: nort}", who="{anything: 1}"), fields="a: [")
    assert codes(loaded) == ["R001", "R204"]
