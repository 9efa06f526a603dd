"""A folder of rules that is followed while something runs: when has it changed, and what is wrong with it?"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Final

from engine.errors import InputError, RulesError, TouchpointError
from engine.language.folders import read_folder

EVERY: Final = 1.0
"""Seconds between two looks at the folder; a change is taken once it has stood for one."""


class FolderWatch:
    """Tells when the files of a folder are others than before, and stand still."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen = self._taken = self._look()

    def has_changed(self) -> bool:
        """Say whether there is something new that has stood still since the last look; once for each."""
        now = self._look()
        before, self._seen = self._seen, now
        if now != before or now == self._taken:
            return False
        self._taken = now
        return True

    def _look(self) -> bytes:
        digest = blake2b(digest_size=16)
        try:
            found = read_folder(self.folder)
        except (InputError, OSError) as error:  # gone, or a file that went while it was read
            return str(error).encode()
        bad = [(problem.path, str(problem)) for problem in found.problems]
        for path, text in sorted([*found.texts.items(), *bad]):
            for part in (path.encode(), text.encode(errors="replace")):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()


def problems(error: TouchpointError) -> str:
    """Write what keeps a folder of rules from coming into force, for people."""
    if isinstance(error, RulesError):
        return "\n\n".join(problem.pretty() for problem in error.problems) + "\n"
    return str(error)
