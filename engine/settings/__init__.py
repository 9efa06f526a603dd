"""Settings of the program: variables `TOUCHPOINT_<NAME>`, or a TOML file; defaults for the embedded run.

`load_settings` is called once, by the top layer (`engine.app`, `engine.cli`); all below gets plain values.
`require` says what a role still needs. A mistake is named with its variable, or with file and line; secrets
are never shown, neither in messages nor in `repr`.

`declare` how a setting is declared · `house`, `kafka`, `redis`, `roles` the settings · `model` all of them ·
`across` what has to hold between them · `file` settings from a file · `load` the door.
"""

from engine.settings.declare import PREFIX, ROLES
from engine.settings.file import FILE_VARIABLE
from engine.settings.house import CHECKOUT, SECRET_BYTES
from engine.settings.load import load_settings, misspelt, require
from engine.settings.model import Settings, default_of, expected_of, roles_of

__all__ = [
    "CHECKOUT",
    "FILE_VARIABLE",
    "PREFIX",
    "ROLES",
    "SECRET_BYTES",
    "Settings",
    "default_of",
    "expected_of",
    "load_settings",
    "misspelt",
    "require",
    "roles_of",
]
