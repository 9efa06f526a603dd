"""No valid file gets a mark in an editor."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editor.lsp import Editor
from tests.testdata import RULE_SETS


@pytest.mark.parametrize("folder", RULE_SETS)
def test_valid_files_have_no_mark(editor: Editor, folder: str) -> None:
    files = sorted(path for path in (editor.folder / folder).rglob("*.yaml"))
    assert len(files) > 10
    for path in files:
        editor.open(path.as_uri(), path.read_text(encoding="utf-8"))
    marked = {str(path.relative_to(editor.folder)): said(editor, path) for path in files}
    assert {path: marks for path, marks in marked.items() if marks} == {}


def test_each_kind_of_file_has_its_schema(editor: Editor) -> None:
    """Nothing above is silent for want of a schema."""
    text = "no-such-key: {no-such-key: 1}\n"
    for name in (
        "city/new.yaml",
        "city/new.test.yaml",
        "policy.yaml",
        *(f"catalog/{each}.yaml" for each in ("fields", "places", "products", "numbers")),
    ):
        path = editor.folder / "rules" / name
        editor.open(path.as_uri(), text)
        assert said(editor, path), name


def test_a_modeline_does_without_settings(editor: Editor) -> None:
    path = editor.folder / "elsewhere" / "new.yaml"
    editor.open(path.as_uri(), "# yaml-language-server: $schema=../.schema/rule.json\nstatus: lve\n")
    assert any("lve" in mark or "Valid values" in mark for mark in said(editor, path))


def said(editor: Editor, path: Path) -> list[str]:
    return [f"{mark['range']['start']}: {mark['message']}" for mark in editor.marks(path.as_uri())]
