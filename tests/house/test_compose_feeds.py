"""The feeds file of the Compose deployment: what is mounted is one, and can be reached and remembered."""

from __future__ import annotations

from pathlib import Path

from engine.deployment.feeds.build import map_of
from engine.deployment.feeds.read import read_feeds
from engine.settings import PREFIX
from tests.house.deployment import EXAMPLE, ours
from tests.house.sources import text
from tests.testdata import CHECKOUT

FEEDS = "/etc/touchpoint/feeds"
"""Where it is in a container."""


def test_the_feeds_file_that_is_mounted_is_one() -> None:
    [shown] = [one for one in ours()["collector"]["volumes"] if one.split(":")[1] == FEEDS]
    given = Path(shown.split(":")[0]) / "feeds.yaml"
    assert f"{FEEDS}/feeds.yaml" in EXAMPLE
    shipped = text(given)
    head, comment, door = shipped.partition("#  geofences:")
    # as it is, and with the door that stands there as a comment
    for file in (shipped, head + (comment + door).replace("\n#", "\n").removeprefix("#")):
        feeds = read_feeds(str(CHECKOUT / given), file)
        assert [str(problem) for problem in feeds.problems] == []
        for feed in feeds.feeds.values():
            map_of(feed)
    doors = {feed.door_name: feed.options.model_dump() for feed in feeds.feeds.values()}
    assert doors.keys() == {"landing", "camara"}
    assert str(doors["landing"]["folder"]).startswith(ours()["collector"]["environment"][f"{PREFIX}LANDING"])
    port = doors["camara"]["listen"].rpartition(":")[2]
    for name in ("collector", "all"):
        assert [one.rpartition(":")[2] for one in ours()[name]["ports"]] == [port]


def test_what_treatments_remember_outlives_the_container() -> None:
    for name in ("collector", "all"):
        one = ours()[name]
        memory = Path(one["environment"][f"{PREFIX}FEEDS_MEMORY"])
        assert f"memory:{memory.parent}" in one["volumes"]
