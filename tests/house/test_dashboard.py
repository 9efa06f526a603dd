"""The dashboard shows metrics that there are; Grafana finds it, and its data, by provisioned files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from engine.metrics import Metrics
from tests.house.deployment import services
from tests.house.promql import asked, problems
from tests.testdata import CHECKOUT

FOLDER = CHECKOUT / "deploy" / "grafana"
BOARD = json.loads((FOLDER / "dashboards" / "touchpoint.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
KNOWN = Metrics(CollectorRegistry()).labels
NOT_SHOWN = {"touchpoint_optouts_total", "touchpoint_redis_op_seconds"}
"""For questions asked now and then."""


def provisioned(folder: str) -> dict[str, Any]:
    """The one file of a folder of `provisioning/`."""
    [path] = (FOLDER / "provisioning" / folder).iterdir()
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_for_what_there_is(panel: dict[str, Any]) -> None:
    assert panel["targets"]
    for target in panel["targets"]:
        assert problems(target["expr"], KNOWN) == []
        found = asked(target["expr"])
        kept = found.groups or {
            *(one for name in found.metrics for one in KNOWN.get(name, ())),
            "role",
            "instance",
        }
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept


def test_every_metric_is_shown() -> None:
    shown = {
        name for panel in PANELS for target in panel["targets"] for name in asked(target["expr"]).metrics
    }
    parts = re.compile(r"_(bucket|sum|count)$")
    histograms = {parts.sub("", name) for name in KNOWN if name.endswith("_bucket")}
    known = {parts.sub("", name) if parts.sub("", name) in histograms else name for name in KNOWN}
    assert known - {parts.sub("", name) for name in shown} == NOT_SHOWN


def test_panels_do_not_lie_on_each_other_and_have_numbers_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_grafana_finds_data_and_dashboard() -> None:
    [source] = provisioned("datasources")["datasources"]
    wanted = {"type": source["type"], "uid": source["uid"]}
    for panel in PANELS:
        assert [one["datasource"] for one in (panel, *panel["targets"])] == [wanted] * (
            1 + len(panel["targets"])
        )
    assert re.fullmatch(r"http://(\w+):9090", source["url"])[1] in services()  # type: ignore[index]
    [provider] = provisioned("dashboards")["providers"]
    grafana = services()["grafana"]
    mounts = dict(volume.removesuffix(":ro").split(":") for volume in grafana["volumes"])
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert (FOLDER / "dashboards" / home.name).exists()
