"""An editor in a workspace: rules, the schemas that `touchpoint schema rules` writes, the server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import orjson
import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from tests.editor.lsp import Editor
from tests.editor.server import find_server, note_server
from tests.testdata import RULE_SETS

SCHEMAS = {name: ".schema" if name == "rules" else f".schema-of-{name}" for name in RULE_SETS}


@pytest.fixture(scope="session")
def _editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder = tmp_path_factory.mktemp("workspace")
    for name, rules in RULE_SETS.items():
        shutil.copytree(rules, folder / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, out in SCHEMAS.items():
            done = CliRunner().invoke(app, ["schema", "rules", name, "--out", out])
            assert done.exit_code == 0, done.stderr
    told: dict[str, list[str]] = {}
    for out in SCHEMAS.values():
        told |= orjson.loads((folder / out / "vscode.json").read_bytes())["yaml.schemas"]
    with Editor(find_server().command, folder, settings(told)) as editor:
        uri = (folder / "rules" / "first.yaml").as_uri()
        for _ in range(20):  # the server reads a document before it has asked for the settings
            editor.open(uri, "no-such-key: 1\n")
            if editor.marks(uri):
                break
        yield editor


def settings(schemas: dict[str, list[str]]) -> dict[str, dict[str, object]]:
    """Tell the server what VS Code tells it, but to look nothing up in the network."""
    on = {"validate": True, "completion": True, "hover": True}
    return {"yaml": {**on, "schemas": schemas, "schemaStore": {"enable": False}}, "http": {}, "[yaml]": {}}


@pytest.fixture
def editor(request: pytest.FixtureRequest) -> Editor:
    """Give an editor whose schemas are loaded."""
    note_server(request.node)
    editor: Editor = request.getfixturevalue("_editor")
    return editor
