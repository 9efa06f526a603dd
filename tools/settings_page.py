"""Write `docs/settings.md` from the declarations of the settings: what they say is what the page says.

    python -m tools.settings_page

A test holds the committed page against `page()`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, SecretStr

from engine.settings import CHECKOUT, FILE_VARIABLE, PREFIX, Settings, default_of, expected_of, roles_of
from engine.settings.house import DEMO, HouseSettings
from engine.settings.kafka import KafkaSettings
from engine.settings.redis import RedisSettings
from engine.settings.roles import RoleSettings

PAGE: Final = CHECKOUT / "docs" / "settings.md"
GROUPS: Final[dict[str, type[BaseModel]]] = {
    "The engine": HouseSettings,
    "Kafka": KafkaSettings,
    "Redis": RedisSettings,
    "The roles": RoleSettings,
}

COLUMNS: Final = "| variable | default | what is expected | meaning | roles |\n|---|---|---|---|---|\n"
HEAD: Final = f"""# Settings

This page is generated (`python -m tools.settings_page`): change the declarations in `engine/settings/`,
not the page.

A setting is a variable of the environment. Settings can also stand in a TOML file that
`{FILE_VARIABLE}` names; its keys are the names in lower case without `{PREFIX}`, text in quotes,
numbers without. An option of a command wins over the environment, the environment over the file, the file
over the default.

```toml
kafka_bootstrap = "kafka-1:9092,kafka-2:9092,kafka-3:9092"
kafka_replication = 3
kafka_min_isr = 2
partitions = 64
```

All settings are checked at the start, also against each other. Each mistake is one sentence on stderr that
begins with the variable, or with file, line and key, and the program ends with exit code 2. A variable or key
that nearly matches a setting is a mistake, too. Secrets are never shown. Against Kafka, a role does not start
with the public demo values of `{PREFIX}KEY` and `{PREFIX}SALT`, unless `{PREFIX}DEMO_SECRETS`
is `yes`.

Roles: `run` is the embedded run (`./run`), the others are those of `touchpoint run collector`, `engine` and
`dispatcher`; `touchpoint run all` reads the settings of these three. Other commands read the settings of
what they open: rules, Kafka or Redis.
"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for title, group in GROUPS.items():
        parts.append(f"\n## {title}\n\n{COLUMNS}")
        parts += [_row(name) for name in Settings.model_fields if name in group.model_fields]
    return "".join(parts)


def _row(name: str) -> str:
    meaning = Settings.model_fields[name].description
    roles = ", ".join(roles_of(name))
    return f"| `{PREFIX}{name.upper()}` | {_default(name)} | {expected_of(name)} | {meaning} | {roles} |\n"


def _default(name: str) -> str:
    if words := default_of(name):
        return words
    default = Settings.model_fields[name].default
    if name in DEMO:
        return f"a demo {name}, public"
    if isinstance(default, SecretStr) or default in (None, ""):
        return "–"
    if isinstance(default, Path) and default.is_relative_to(CHECKOUT):
        return f"`{default.relative_to(CHECKOUT)}` of the checkout"
    return f"`{default}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
