"""A registry of its own for each test: the twin, and a real one where it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.servers.process import NoServerError
from tests.servers.registry import Apicurio, Twin, outside


@pytest.fixture
def twin() -> Iterator[Twin]:
    """A registry in this process."""
    registry = Twin().start()
    yield registry
    registry.stop()


@pytest.fixture(scope="session")
def real_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real registry."""
    if outside():
        yield outside()
        return
    try:
        registry = Apicurio(tmp_path_factory.mktemp("registry"))
    except NoServerError as error:
        pytest.skip(str(error))
    yield registry.url
    registry.stop()


@pytest.fixture(params=["twin", "real"])
def registry_url(request: pytest.FixtureRequest) -> str:
    """The address of a registry, of the twin and of a real one."""
    if request.param == "twin":
        twin: Twin = request.getfixturevalue("twin")
        return twin.url
    url: str = request.getfixturevalue("real_registry")
    return url


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """A function that makes names of subjects of this test alone."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    return lambda part: f"{name}-{part}"
