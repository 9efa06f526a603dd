"""A whole session word for word, and what is offered held against the tables of the language.

`TOUCHPOINT_UPDATE_GOLDEN=1` writes the transcript anew: read the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.language.catalog import FIELD_TYPES
from engine.language.checks.events import EVENTS, event_fields
from engine.language.checks.verbs import COMPANIONS, VERBS
from engine.language.compile import OPTIONAL, REQUIRED
from engine.language.loader import load_dir
from tests.editor.lsp import Editor, Json
from tests.editor.server import NAME
from tests.editor.session import RULE, STEPS, WHOLE, Step
from tests.testdata import CHECKOUT

GOLDEN = Path(__file__).parent / "golden" / "session.txt"
CONTEXT = 4
"""Lines of a text that the transcript shows, up to the cursor."""


def test_a_session_word_for_word(editor: Editor) -> None:
    for number, step in enumerate(STEPS):
        if step.does == "look":  # all at once: marks come a moment after the typing
            editor.open(place(editor, number), step.text)
    said = f"# An author writes a rule; `^` is cursor or mouse. {NAME}, names of tests/examples/rules.\n"
    said += "".join(f"\n{transcript(editor, number, step)}" for number, step in enumerate(STEPS))
    if os.environ.get("TOUCHPOINT_UPDATE_GOLDEN"):
        GOLDEN.write_text(said, encoding="utf-8")
    assert said == GOLDEN.read_text(encoding="utf-8")


def place(editor: Editor, number: int) -> str:
    """Return the URI of a document that no other step has."""
    path = editor.folder / STEPS[number].file
    return path.with_name(f"{number}{path.name}").as_uri()


def transcript(editor: Editor, number: int, step: Step) -> str:
    """Do a step and write down what the editor said."""
    head = f"== {step.say}\n"
    lines = step.text.splitlines()
    if step.does == "look":
        marks = sorted(editor.marks(place(editor, number)), key=lambda mark: (at(mark), mark["message"]))
        if not marks:
            return f"{head}nothing marked in {len(lines)} lines\n"
        rows = [f"   {lines[at(mark)[0]].strip()}\n   {pointed(mark, lines)}\n" for mark in marks]
        return f"{head}marked:\n{''.join(rows)}"
    uri, line, column = put(editor, step.file, step.text)
    typed = "".join(f"   {row}\n" for row in lines[max(0, line + 1 - CONTEXT) : line + 1])
    if step.does == "hover":
        told = editor.hover(uri, line, column).split("\n")
        said = [row for row in told if row.strip() and not row.startswith(("Source:", "```"))]
        return f"{head}{typed}shown:\n" + "".join(f"   {row}\n" for row in said)
    offered = editor.complete(uri, line, column)
    return f"{head}{typed}offered:\n" + "".join(f"   {entry(item)}\n" for item in offered)


def put(editor: Editor, file: str, text: str) -> tuple[str, int, int]:
    """Put a text into a document; return its URI and where the cursor is."""
    before, _, after = text.partition("^")
    uri = (editor.folder / file).as_uri()
    editor.open(uri, before + after)
    return uri, before.count("\n"), len(before) - before.rfind("\n") - 1


def at(mark: Json) -> tuple[int, int]:
    start = mark["range"]["start"]
    return start["line"], start["character"]


def pointed(mark: Json, lines: list[str]) -> str:
    line, column = at(mark)
    row = lines[line]
    indent = len(row) - len(row.lstrip())
    return f"{' ' * (column - indent)}^ {mark['message']}"


def entry(item: Json) -> str:
    said = item.get("documentation") or ""
    told = str(said["value"] if isinstance(said, dict) else said)
    label, words = str(item["label"]), " ".join(told.split())
    return f"{label:24}  {words}"[:120].rstrip()


# -- against the tables --------------------------------------------------------------------------------------


def offered(editor: Editor, text: str, file: str = RULE) -> list[str]:
    """Return the words that are offered, without the snippets of several keys."""
    uri, line, column = put(editor, file, text)
    snippets = {"new rule", "touchpoint rule"}
    labels = [item["label"].strip('"') for item in editor.complete(uri, line, column)]
    return [
        label for label in labels if label not in snippets and not label.startswith(("pattern: ", "verb "))
    ]


def test_at_a_pattern_the_verbs_are_offered_and_nothing_else(editor: Editor) -> None:
    assert offered(editor, "when:\n  ^") == list(VERBS)


@pytest.mark.parametrize("verb", VERBS[: VERBS.index("sequence")])
def test_beside_a_verb_its_companions_are_offered(editor: Editor, verb: str) -> None:
    value = {"happens": "bill", "count": "bill", "total": "bill.amount"}.get(verb, "malls")
    assert sorted(offered(editor, f"when:\n  {verb}: {value}\n  ^")) == sorted(sum(COMPANIONS[verb], ()))


@pytest.mark.parametrize("event", EVENTS)
def test_inside_where_the_fields_of_the_event_are_offered_and_no_others(editor: Editor, event: str) -> None:
    assert offered(editor, f"when:\n  happens: {event}\n  where:\n    ^") == list(event_fields(event))


def test_names_of_catalogue_and_policy_are_offered(editor: Editor) -> None:
    rules = load_dir(CHECKOUT / "tests" / "examples" / "rules").ruleset
    assert rules is not None
    catalog = rules.catalog
    assert offered(editor, "when:\n  happens: ^") == list(EVENTS)
    assert offered(editor, "when:\n  enters: ^") == [*catalog.places, *catalog.groups]
    assert offered(editor, "offer:\n  product: ^") == list(catalog.products)
    assert offered(editor, "limits:\n  only_one_of: ^") == list(rules.policy.groups)
    assert offered(editor, "who:\n  ^") == list(catalog.fields)
    assert offered(editor, "who:\n  tier: ^") == list(catalog.fields["tier"].values)
    assert offered(editor, "tests: ^", "examples/a.test.yaml") == sorted(rules.rules)
    assert offered(editor, "a:\n  type: ^", "examples/catalog/fields.yaml") == list(FIELD_TYPES)


def test_at_the_top_every_key_of_a_rule_is_offered(editor: Editor) -> None:
    assert set(offered(editor, "rule: a\n^")) == {*REQUIRED, *OPTIONAL} - {"rule"}


def test_every_mistake_is_marked_where_it_is(editor: Editor) -> None:
    slips = [(number, step) for number, step in enumerate(STEPS) if step.say.startswith("a slip")]
    for number, step in slips:
        editor.open(place(editor, number), step.text)
    right = WHOLE.splitlines()
    for number, step in slips:
        marked = {at(mark)[0] for mark in editor.marks(place(editor, number))}
        changed = {line for line, row in enumerate(step.text.splitlines()) if row != right[line]}
        assert len(changed) == 1, step.say
        assert changed <= marked, step.say
