"""What `--write` writes is a test file that the loader takes, that says the same cases, and that passes."""

from __future__ import annotations

import pytest

from engine.language.loader import load_texts
from engine.language.testing import Case
from engine.rule_tests.runner import run_files
from engine.story.tell import LANGUAGES, story
from engine.story.write import scalar, write_tests, written
from tests.unit.story.support import HOUSE, RULE, RULES, SETS, rules_of, texts_of

MAIN = [pair for pair in RULES if pair[0] == "tests/examples/rules"]


def essence(case: Case) -> object:
    """What a case says, without its name and lines."""
    given = {name: value for name, value in case.given.items() if value is not None}
    steps = [(s.at, s.verb, s.place, s.event, dict(s.fields), s.times, s.every) for s in case.events]
    offers = [(each.at, each.offer, each.channel) for each in case.expect]
    return case.starts, given, case.consent, case.arm, steps, offers, case.because, case.then


@pytest.mark.parametrize("lang", list(LANGUAGES))
@pytest.mark.parametrize(("folder", "name"), MAIN, ids=[name for _, name in MAIN])
def test_written_cases_are_the_same_cases_and_pass(folder: str, name: str, lang: str) -> None:
    rules = SETS[folder]
    told = story(rules, name)
    path = rules.rules[name].path.replace(".yaml", ".test.yaml")
    loaded = load_texts({**texts_of(folder), path: write_tests(told, LANGUAGES[lang])})
    assert [problem.pretty() for problem in loaded.errors] == []
    assert loaded.ruleset is not None
    (file,) = loaded.tests
    assert [essence(case) for case in file.cases] == [essence(each.case) for each in told.told]
    (result,) = run_files(loaded.ruleset, loaded.tests)
    assert [each.verdict.problems for each in result.results if not each.verdict.passed] == []
    assert any(each.text for case in file.cases for each in case.expect)


def test_a_text_that_looks_like_yaml_is_quoted() -> None:
    rules = rules_of("{happens: call.out, where: {number: 95}}", who="{tags: 'a: b # c'}")
    text = write_tests(story(rules, "it"), LANGUAGES["en"])
    rule = RULE.format(
        when="{happens: call.out, where: {number: 95}}",
        schedule="",
        who="{tags: 'a: b # c'}",
        excepts="{tags: do-not-disturb}",
        at_most="1 in 7d",
        within="24h",
    )
    loaded = load_texts({**HOUSE, "team/it.yaml": rule, "team/it.test.yaml": text})
    assert [problem.pretty() for problem in loaded.errors] == []
    assert '["a: b # c"]' in text


def test_values_are_written_as_authors_write_them() -> None:
    assert written(49.99, "money") == "49.99 yuan"
    assert written(90, "duration") == "1m30s"
    assert written(307_199 * 1024, "bytes") == "307199 KB"
    assert written(True, "yes/no") == "yes"
    assert written(None, "text") == "unknown"
    assert written([], "set") == "[]"
    assert written(["a", "b, c"], "set") == '[a, "b, c"]'
    assert scalar("【移动】") == '"【移动】"'
