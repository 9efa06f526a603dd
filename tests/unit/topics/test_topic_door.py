"""The door of topics in a feeds file: a map, a registry, and what is wrong with them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.door import House
from connectors.doors import DOORS
from connectors.foreign_topic import ForeignTopic
from connectors.registry_options import RegistryOptions
from engine.deployment.feeds.build import lives_of
from engine.deployment.feeds.look import problems_of
from engine.deployment.feeds.read import load_feeds
from engine.errors import InputError
from engine.identity import Identity
from engine.treatments.registry import Around
from tests.unit.topics.support import KEY, PROBE

REGISTRY = {"url": "https://registry:8081/apis/ccompat/v7"}


def mistakes(folder: Path, **feed: Any) -> list[str]:
    """What is wrong with a feeds file of one topic, and with what it names."""
    (folder / "probe.yaml").write_text(yaml.safe_dump(PROBE, sort_keys=False), encoding="utf-8")
    path = folder / "feeds.yaml"
    topic = {"door": "topic", "topic": "probe.events", **feed}
    path.write_text(yaml.safe_dump({"feeds": {"probe": topic}}), encoding="utf-8")
    feeds = load_feeds(path)
    problems = feeds.problems or problems_of(feeds, House(), Identity(KEY), {})
    return [str(found) for found in problems]


def test_a_topic_with_a_map_and_a_registry(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")
    registry = {**REGISTRY, "username": "ann", "password_file": "secret", "timeout": "2s"}
    assert mistakes(tmp_path, map="probe.yaml", registry=registry) == []
    [live] = lives_of(load_feeds(tmp_path / "feeds.yaml"), House(), Around(Identity(KEY)))
    assert isinstance(live.source, ForeignTopic)
    assert (live.source.name, live.source.topic, live.source.trouble) == ("probe", "probe.events", "")


@pytest.mark.parametrize(
    ("feed", "said"),
    [
        ({"map": "none.yaml"}, "expected a field map that can be read"),
        ({"registry": {}}, "`url`: expected an address such as https://registry:8081"),
        ({"registry": {"url": []}}, "`url`: expected an address such as https://registry:8081"),
        ({"registry": {**REGISTRY, "urls": "x"}}, "expected a key of the door `topic`, was `urls`"),
        ({"registry": {**REGISTRY, "timeout": "0s"}}, "expected a length of time from 1s to 5m"),
        ({"registry": {**REGISTRY, "username": "ann"}}, "expected username and its password together"),
        ({"registry": {**REGISTRY, "token_file": "none"}}, "expected a file that can be read"),
        (
            {"registry": {**REGISTRY, "token_variable": "NO_SUCH"}},
            "expected a token in NO_SUCH",
        ),
        ({"registry": {**REGISTRY, "ca": "none.pem"}}, "expected a file of certificates"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(feed: dict[str, Any], said: str, tmp_path: Path) -> None:
    [mistake] = mistakes(tmp_path, **feed)
    assert said in mistake
    assert "feeds.yaml:" in mistake


@pytest.mark.parametrize(
    "options",
    [
        {"url": "registry:8081"},
        {"url": "ftp://registry"},
        {"url": "http://ann:s3@registry"},
        {"url": "http://registry?a=1"},
        {"url": ["http://registry", "http://registry:x"]},
        {"url": "http://r", "token_variable": "A", "token_file": "b"},
        {"url": "http://r", "token_variable": "A", "username": "b", "password_variable": "C"},
        {"url": "http://r", "password_variable": "C"},
        {"url": "http://r", "key": "k.pem"},
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected "):
        RegistryOptions.model_validate(options)


def test_secrets_come_from_files_and_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_TOKEN", "t0ken")
    found = RegistryOptions.model_validate({**REGISTRY, "token_variable": "REGISTRY_TOKEN"}).access()
    assert (found.token, "t0ken" in repr(found)) == ("t0ken", False)
    (tmp_path / "empty").touch()
    empty = RegistryOptions.model_validate({**REGISTRY, "token_file": tmp_path / "empty"})
    with pytest.raises(InputError, match="expected a token in it"):
        empty.access()


@pytest.mark.parametrize("module", ["fastavro", "google.protobuf", "grpc_tools", "httpx"])
def test_an_extra_that_is_missing_is_named_at_the_start(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    [mistake] = mistakes(tmp_path, registry=REGISTRY)
    assert "expected the extra schemas to be installed (pip install 'touchpoint[schemas]')" in mistake
    assert f"no module {module}" in mistake
    # topics without a registry need nothing
    assert mistakes(tmp_path, map="probe.yaml") == []
    assert DOORS["topic"].needs_map is False
