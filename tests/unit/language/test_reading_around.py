"""A section that is no YAML is reported, and the rest of the file is checked as if it were right."""

from __future__ import annotations

from engine.language.source import Mapping, read
from tests.unit.language.texts import CATALOG, POLICY, codes, load, rule_text


def broken(text: str) -> tuple[list[tuple[int, str]], list[str]]:
    """Return (line, code) of each problem, and the keys that could be read."""
    source = read("r.yaml", text)
    keys = list(source.root.entries) if isinstance(source.root, Mapping) else []
    return [(problem.line, problem.code) for problem in source.problems], keys


def test_several_sections_are_reported_and_the_others_read() -> None:
    text = "a: 1\nb:2\nc: [1\nd: 4\ne: &x 5\nf:\n  - 6\n"
    assert broken(text) == ([(2, "R001"), (3, "R001"), (5, "R003")], ["a", "d", "f"])


def test_positions_behind_a_broken_section_are_those_of_the_file() -> None:
    source = read("r.yaml", "a: [1, 你\nb:\n  c: 3\n")
    assert isinstance(source.root, Mapping)
    [(key, node)] = source.root
    assert (key.text, key.start.line) == ("b", 1)
    assert isinstance(node, Mapping)
    assert [key.start.line for key, _ in node] == [2]


def test_with_nothing_left_to_read_there_is_no_tree() -> None:
    assert broken("a: [1\n") == ([(1, "R001")], [])
    assert broken("- a: [1\n- b\n") == ([(1, "R001")], [])


def test_what_is_no_file_of_rules_is_given_up() -> None:
    many = "".join(f"k{number}: [1\n" for number in range(40))
    found, keys = broken(many)
    assert (len(found), keys) == (9, [])
    found, keys = broken("a: [1\n" + "b: 1\n" * 9_000)
    assert (found, keys) == ([(1, "R001")], [])


def test_keys_of_broken_sections_are_not_missed() -> None:
    loaded = load(rule_text().replace("owner: team", "owner:team").replace("status: draft", "status: live"))
    assert codes(loaded) == ["R001"]
    loaded = load(rule_text(status="live").replace("approved_by: lead", "approved_by: @lead"))
    assert codes(loaded) == ["R001"]


def test_names_in_broken_sections_are_not_unknown() -> None:
    places = CATALOG["catalog/places.yaml"].replace("north: {name", "north: [{name")
    assert codes(load(rule_text("{enters: north}"), places=places)) == ["R001"]
    policy = POLICY.replace("groups: {upsell: {", "groups: {upsell: [")
    assert codes(load(rule_text(limits=", only_one_of: upsell"), policy=policy)) == ["R001"]
