"""docker-compose.yml, .env.example and Dockerfile say what the program knows; there need be no Docker."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import jsonschema
import pytest
import yaml
from prometheus_client import CollectorRegistry

from connectors.faust_shell import OVERTIME
from connectors.redis_health import WANTED
from connectors.web import Pages
from engine.cli.main import COMMANDS
from engine.cli.run import ROLES
from engine.deployment.common import Common
from engine.deployment.process import PagesRole
from engine.errors import SettingsError
from engine.settings import PREFIX, Settings, load_settings, require, roles_of
from engine.settings.file import FILE_VARIABLE
from engine.settings.house import DEMO
from engine.topics import topics
from tests.house.deployment import (
    COMPOSE,
    DOCKERFILE,
    EXAMPLE,
    GIVEN,
    SECRETS,
    Unset,
    compose,
    example,
    fill,
    instructions,
    ours,
    services,
    size,
    variables,
    words,
)
from tests.house.sources import files, text
from tests.house.users import users_of_kafka
from tests.testdata import CHECKOUT

SCHEMA = json.loads((CHECKOUT / "tests/data/compose/compose-spec.json").read_text(encoding="utf-8"))
RUNNING = {name: one for name, one in ours().items() if one["command"][0] == "run"}
"""The roles."""
STATE_BYTES = 5_000
"""Of a subscriber in a lane's memory: the setting says so."""
DEPLOY = [
    path for path in files() if path.parts[0] == "deploy" or path.name in ("Dockerfile", ".env.example")
]
PAGE = text(Path("docs/operations.md"))
BIN = "/usr/local/bin/"


def defaults() -> dict[str, str]:
    """The default of each setting, as a variable would give it."""
    shown = {name: field.default for name, field in Settings.model_fields.items()}
    return {PREFIX + name.upper(): "" if value is None else str(value) for name, value in shown.items()}


# -- the compose file ----------------------------------------------------------------------------------------


def test_it_is_a_compose_file() -> None:
    validator = jsonschema.Draft201909Validator(SCHEMA)
    for found in (yaml.safe_load(COMPOSE), compose()):
        assert [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(found)] == []
    wrong = {"services": {"engine": {"image": "touchpoint", "comand": ["run"]}}}
    assert not validator.is_valid(wrong), "the schema has to notice a misspelt key"


@pytest.mark.parametrize("name", sorted(ours()))
def test_every_command_is_one_of_the_program(name: str) -> None:
    command = ours()[name]["command"]
    if command == ["--help"]:
        return
    known = [words for words in (" ".join(command[:2]), command[0]) if words in COMMANDS]
    assert known, f"expected a command of the program, was {command}"
    if known[0] == "run":
        assert command[1:] in [[role] for role in ROLES]


def test_every_role_has_a_service_of_its_name() -> None:
    assert {name: one["command"][1] for name, one in RUNNING.items()} == {role: role for role in ROLES}
    assert {name: one["profiles"] for name, one in RUNNING.items()} == {
        role: ["all-in-one" if role == "all" else "roles"] for role in ROLES
    }


@pytest.mark.parametrize("name", sorted(ours()))
def test_the_program_takes_the_settings_of_a_service(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = ours()[name]["environment"]
    for variable in [one for one in os.environ if one.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    for variable, value in environment.items():
        assert isinstance(value, str), variable
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    store = ("redis_url",) if name in ("engine", "dispatcher", "all", "cli") else ()
    require(settings, "kafka_bootstrap", *store)
    assert (settings.redis_url != "") == bool(store), "only who needs the store may know its password"
    unset = {PREFIX + "KEY": DEMO["key"], PREFIX + "SALT": DEMO["salt"]}
    for variable, value in unset.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError):
        require(load_settings(), "kafka_bootstrap")


@pytest.mark.parametrize("name", sorted(RUNNING))
def test_a_role_gets_all_it_reads_of_what_can_be_set_and_nothing_else(name: str) -> None:
    roles = set(ROLES) - {"all"} if name == "all" else {name}
    given = set(ours()[name]["environment"])
    reads = {
        PREFIX + field.upper()
        for field in Settings.model_fields
        if roles & set(roles_of(field)) or field in ("decisions_retention_days", "events_retention_hours")
    }
    settable = {variable for one in ours().values() for variable in one["environment"]}
    assert given == reads & settable


def test_every_variable_of_the_program_is_a_setting() -> None:
    known = {*defaults(), FILE_VARIABLE}
    for where in (COMPOSE, EXAMPLE, DOCKERFILE, PAGE, *(text(path) for path in DEPLOY)):
        assert set(re.findall(rf"\b{PREFIX}[A-Z_]+[A-Z]\b", where)) - known == set()


def test_defaults_are_those_of_the_settings() -> None:
    given = {
        name: value for name, value in variables().items() if name.startswith(PREFIX) and value is not None
    }
    known = {name: value for name, value in defaults().items() if name in given}
    # less than the setting's default: a lane's share of a small machine
    cache = int(given.pop(PREFIX + "CACHE_SUBSCRIBERS"))
    assert cache < int(known.pop(PREFIX + "CACHE_SUBSCRIBERS"))
    assert given == known
    engine = compose()["services"]["engine"]
    lanes = int(engine["environment"][PREFIX + "PARTITIONS"])
    assert cache * lanes * STATE_BYTES < size(engine["mem_limit"]) / 2


# -- .env.example --------------------------------------------------------------------------------------------


def test_the_example_has_every_variable_with_its_default() -> None:
    shown = example()
    assert {name for name in shown if not name.startswith("COMPOSE_")} == set(variables())
    for name, default in variables().items():
        value, in_force = shown[name]
        assert (value, in_force) == (("", True) if default is None else (default, False)), name


def test_as_it_is_nothing_starts() -> None:
    given = {name: value for name, (value, in_force) in example().items() if in_force}
    assert {name for name, value in given.items() if not value} == set(SECRETS)
    for name in SECRETS:
        with pytest.raises(Unset):
            fill(COMPOSE, {**GIVEN, name: ""})
    assert not any(secret in EXAMPLE for secret in DEMO.values())


def test_the_profiles_of_the_example_exist() -> None:
    declared = {profile for one in services().values() for profile in one.get("profiles", ())}
    assert set(example()["COMPOSE_PROFILES"][0].split(",")) < declared
    assert declared == {"roles", "all-in-one", "monitoring", "tools"}


# -- services ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ours()))
def test_the_program_is_locked_in(name: str) -> None:
    one = ours()[name]
    assert one["read_only"] is True
    assert one["user"] == "10001:10001"
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["tmpfs"]
    assert size(one["mem_limit"]) > 0
    assert "privileged" not in one
    if name in RUNNING:
        assert one["restart"] == "unless-stopped"
        drain = float(defaults()[PREFIX + "DRAIN_SECONDS"])
        assert int(one["stop_grace_period"].removesuffix("s")) > drain + OVERTIME
        assert one["depends_on"]["topics"] == {"condition": "service_completed_successfully"}
        assert one["healthcheck"]["test"] == ["CMD", "touchpoint-probe", "livez"]


def test_others_are_confined_too_and_every_image_has_a_version() -> None:
    for name, one in services().items():
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one["cap_drop"] == ["ALL"], name
        assert size(one["mem_limit"]) > 0, name
        assert re.search(r":v?\d", one["image"]), name
        waits = one.get("depends_on", {})
        assert set(waits) <= set(services()), name
        for other, how in waits.items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services()[other], name


OTHERS = {
    "kafka": "1000:1000",  # appuser
    "valkey": "999:999",  # valkey, in the image made from Debian
    "prometheus": "65534:65534",  # nobody
    "grafana": "472:0",  # grafana
}
"""The users that the images of others are made for: what they write to belongs to these."""
WRITES_ITS_OWN_FILES = {"kafka"}


def test_nobody_is_root_and_who_can_has_a_read_only_file_system() -> None:
    assert set(OTHERS) == set(services()) - set(ours())
    for name, one in services().items():
        user, group = one["user"].split(":")
        assert int(user) > 0, name
        assert f"{user}:{group}" == OTHERS.get(name, "10001:10001")
        assert one.get("read_only", False) is (name not in WRITES_ITS_OWN_FILES), name
    # the file says why for each that has none
    for name in WRITES_ITS_OWN_FILES:
        part = COMPOSE.split(f"\n  {name}:\n", 1)[1].split("\n\n", 1)[0]
        assert re.search(r"# no read_only: \w", part), name


def test_a_dashboard_needs_nothing_from_outside() -> None:
    grafana = services()["grafana"]
    assert grafana["environment"]["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    assert [one.split(":")[0] for one in grafana["tmpfs"]] == ["/tmp"]


def test_the_commands_of_care_find_what_the_collector_reads() -> None:
    care, collector = ours()["cli"], ours()["collector"]
    names = ("FEEDS", "LANDING", "LANDING_MAP", "FOREIGN_TOPIC", "FOREIGN_BOOTSTRAP")
    reads = {f"{PREFIX}{name}" for name in names}
    assert reads <= set(collector["environment"])
    for variable in reads:
        assert care["environment"].get(variable) == collector["environment"][variable], variable
    landing = care["environment"][f"{PREFIX}LANDING"]
    for folder in (landing, "/etc/touchpoint/feeds"):
        [volume] = [one for one in collector["volumes"] if one.split(":")[1] == folder]
        assert volume in care["volumes"]


def test_only_loopback_can_be_reached() -> None:
    published = {name: one["ports"] for name, one in services().items() if "ports" in one}
    assert set(published) == {"prometheus", "grafana", "collector", "all"}
    for ports in published.values():
        for port in ports:
            assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)
    assert "network_mode" not in COMPOSE


def test_ports_agree() -> None:
    port = defaults()[PREFIX + "WEB_PORT"]
    for one in ours().values():
        assert one["expose"] == [port]
        assert one["environment"][PREFIX + "WEB_PORT"] == port
    assert [rest for word, rest in instructions()[-1] if word == "EXPOSE"] == [port]
    probe = text(Path("deploy/touchpoint-probe"))
    assert f'"{PREFIX}WEB_PORT") or {port}' in probe
    for name in ("prometheus", "grafana"):
        one = services()[name]
        asked = re.search(r"127\.0\.0\.1:(\d+)/", " ".join(one["healthcheck"]["test"]))
        assert asked
        assert one["ports"][0].endswith(f":{asked[1]}")
    kafka = services()["kafka"]
    bootstrap = ours()["engine"]["environment"][PREFIX + "KAFKA_BOOTSTRAP"]
    assert kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{bootstrap}"
    assert bootstrap.split(":")[1] in kafka["healthcheck"]["test"][1]


def test_the_store_is_one_that_the_program_takes() -> None:
    valkey = services()["valkey"]
    [script] = valkey["command"]
    assert f"maxmemory-policy {WANTED['maxmemory_policy'][0]}" in script
    assert "appendonly yes" in script
    assert "appendfsync everysec" in script
    assert size(valkey["mem_limit"]) == 2 * size(valkey["environment"]["VALKEY_MAXMEMORY"])
    assert ours()["engine"]["environment"][PREFIX + "REDIS_URL"] == "redis://valkey:6379"


def test_every_volume_is_declared_and_every_file_is_there() -> None:
    declared = set(compose()["volumes"])
    made = next(rest for word, rest in instructions()[-1] if word == "RUN" and "install -d" in rest).split()
    for name, one in services().items():
        for volume in one.get("volumes", ()):
            source, target, *_ = volume.split(":")
            if source.startswith("."):
                assert (CHECKOUT / source).exists(), volume
                assert volume.endswith(":ro"), volume
            else:
                assert source in declared, volume
                if name in ours():
                    assert target in made, "user 10001 could not write there"


def test_every_topic_that_is_named_exists() -> None:
    known = {topic.name for topic in topics().values()}
    pages = [Path("docs/operations.md"), *DEPLOY, Path("docker-compose.yml")]
    named = {name for path in pages for name in re.findall(r"\btouchpoint\.[a-z]+\.v\d+\b", text(path))}
    assert named <= known
    assert "touchpoint.events.v1" in named


# -- the page about it ---------------------------------------------------------------------------------------


def probed(role: str, page: str) -> list[str]:
    """The names of the checks that a role answers with."""
    tree = ast.parse(text(Path(f"engine/deployment/{role}.py")))
    [function] = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name == page]
    [given] = [one.value for one in ast.walk(function) if isinstance(one, ast.Return)]
    assert isinstance(given, ast.Dict)
    return [key.value for key in given.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]


@pytest.mark.parametrize("page", ["live", "ready"])
def test_the_page_tells_every_check_of_the_probes(page: str) -> None:
    part = PAGE.split(f"\n`/{page}z`:", 1)[1].split("\n\n`/" if page == "live" else "\n## ", 1)[0]
    told = re.findall(r"^\| (\w+) \| `(\w+)` \|", part, re.MULTILINE)
    process = PagesRole(Common(Settings(kafka_bootstrap="kafka:9092")), [])
    of_all = [("all", name) for name in process._asked(page)]
    assert told == [
        *of_all,
        *((role, name) for role in ("engine", "collector", "dispatcher") for name in probed(role, page)),
    ]
    assert of_all == ([("all", "kafka")] if page == "ready" else [])


def test_the_page_tells_every_topic_and_who_may_read_and_write_it() -> None:
    found = topics()
    part = PAGE.split("\n## Topics\n", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^\| `(touchpoint\.\w+\.v1)` \|", part, re.MULTILINE) == [
        one.name for one in found.values()
    ]
    users = {who.strip("`"): rights for who, *rights in users_of_kafka()}
    for short, topic in found.items():
        assert {who for who, (reads, *_) in users.items() if short in reads} == {*topic.read_by}, short
        assert {who for who, (_, writes, *_) in users.items() if short in writes} == {*topic.written_by}, (
            short
        )


def test_links_within_the_page_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-")
        for one in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    }
    assert [link for link in re.findall(r"\]\(#([^)]+)\)", PAGE) if link not in headings] == []


def test_commands_of_the_page_are_services_and_commands() -> None:
    ran = re.findall(
        r"docker compose (?:run --rm|exec) (?:--entrypoint (\S+) )?(\S+) ([a-z-]+ ?[a-z]*)", PAGE
    )
    assert len(ran) >= 7
    for entry, service, command in ran:
        assert service == "ROLE" or service in services(), service
        of_the_system = entry or command.split()[0] in ("tail", "python", "sh", "touchpoint-probe")
        assert of_the_system or {command, command.split()[0]} & {*COMMANDS}, command


# -- Dockerfile ----------------------------------------------------------------------------------------------


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path out: the last line that fits says so."""
    out = False
    for line in text(Path(".dockerignore")).splitlines():
        keep, pattern = line.startswith("!"), line.lstrip("!")
        if line and not line.startswith("#"):
            parts = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
            if any(fnmatch(part, pattern) for part in parts):
                out = not keep
    return out


def test_what_is_copied_is_there_and_not_ignored() -> None:
    copied = 0
    for stage in instructions():
        for word, rest in stage:
            if word == "COPY" and not rest.startswith("--from"):
                for source in rest.split()[:-1]:
                    assert (CHECKOUT / source).exists(), source
                    assert not ignored(source), source
                    copied += 1
    assert copied > 8
    for secret in (
        ".env",
        ".git/config",
        "out/messages.jsonl",
        "tests/conftest.py",
        "deploy/prometheus/alerts.yml",
    ):
        assert ignored(secret), secret


def test_its_commands_exist() -> None:
    final = dict(instructions()[-1])
    put = [rest.split()[:-1] for word, rest in instructions()[-1] if word == "COPY" and rest.endswith(BIN)]
    there = {Path(source).name: CHECKOUT / source for sources in put for source in sources}
    entry, default = words(final["ENTRYPOINT"]), words(final["CMD"])
    probe = words(final["HEALTHCHECK"].split("CMD ", 1)[1])
    for command in (entry[0], probe[0], *(one["healthcheck"]["test"][1] for one in RUNNING.values())):
        assert os.access(there[command], os.X_OK), command
    assert " ".join(default[:1]) in COMMANDS
    assert default[1] in ROLES


def test_the_image_is_small_in_what_it_can_do() -> None:
    final = instructions()[-1]
    said = dict(final)
    assert said["USER"] == "10001:10001"
    assert said["STOPSIGNAL"] == "SIGTERM"
    shell = " ".join(rest for word, rest in final if word == "RUN")
    assert not re.search(r"apt-get|gcc|pip", shell)
    installs = re.findall(r"pip install [^&]*", DOCKERFILE)
    assert len(installs) == 2
    assert [line for line in installs if "--require-hashes" not in line or "--no-deps" not in line] == []
    assert {rest for stage in instructions() for word, rest in stage if word == "ADD"} == set()


def test_versions_agree() -> None:
    project = tomllib.loads(text(Path("pyproject.toml")))["project"]
    assert {one["image"] for one in ours().values()} == {f"touchpoint:{project['version']}"}
    before = dict(rest.split("=") for word, rest in instructions()[0] if word == "ARG")
    assert before["PYTHON"].startswith(project["requires-python"].removeprefix(">="))
    stages = [
        rest.rsplit(" AS ", 1)[-1] for stage in instructions()[1:] for word, rest in stage if word == "FROM"
    ]
    assert {"core-compiled", "core-plain", "core"} <= set(stages)
    assert before["CORE"] == "compiled"


def start(name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start a script of the image as it is started there: packages by PYTHONPATH, another folder."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    given = {"PATH": path, "PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    return subprocess.run(
        [str(CHECKOUT / "deploy" / name), *arguments],
        cwd="/",
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_entry_point_is_the_program() -> None:
    done = start("touchpoint", "check", str(CHECKOUT / "rules"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 problems" in done.stdout
    assert start("touchpoint", "run", "nothing").returncode == 2


async def test_the_probe_says_what_a_page_says() -> None:
    wrong: dict[str, str] = {"lanes": ""}
    pages = Pages(CollectorRegistry(), lambda: wrong, lambda: wrong)
    await pages.start("127.0.0.1", 0)
    port = {PREFIX + "WEB_PORT": str(pages.port)}
    try:
        well = await asyncio.to_thread(start, "touchpoint-probe", "livez", **port)
        assert (well.returncode, json.loads(well.stdout)["live"]) == (0, True)
        wrong["lanes"] = "expected every lane to come round, was not so: [3]"
        ill = await asyncio.to_thread(start, "touchpoint-probe", "readyz", **port)
        assert (ill.returncode, json.loads(ill.stdout)["checks"]) == (1, wrong)
    finally:
        await pages.stop()
    gone = await asyncio.to_thread(start, "touchpoint-probe", "livez", **port)
    assert (gone.returncode, gone.stderr) == (1, "")
