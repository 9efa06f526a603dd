"""Rule files on disk to texts: which files belong to a set, and how their names are shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG

from engine.errors import InputError
from engine.language.catalog import FILES as CATALOG_FILES
from engine.language.geojson import LARGEST
from engine.language.geometry import SUFFIX as AREA_SUFFIX
from engine.language.problems import Problem
from engine.language.source import MAX_BYTES
from engine.paths import FILE, is_file, is_folder, is_there, why_no

_SUFFIXES = (".yaml", ".yml")
_APPROVALS = "approvals.yaml"
_LARGEST_LIST = 64 * 1024 * 1024
"""Bytes of a CSV file of cells; beyond any network's."""


@dataclass(slots=True)
class Folder:
    """Files of a set. `texts`: relative path -> text; `shown`: relative path -> path as a person types it."""

    texts: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    """Of files that can't be read as text."""
    approvals: Path = Path(_APPROVALS)
    """Where approvals.yaml is, or would be."""
    whole: bool = True
    """Whether these are all rules of that home, not one file or folder of them."""
    home_broken: bool = False
    """One of those is the policy's or the catalogue's."""


def read_folder(path: Path, catalog: Path | None = None) -> Folder:
    """Read the rules at `path` (a folder, or one file) and the policy, catalogue and approvals beside them.

    Those come from `catalog` if given, else from the folder or the nearest one above it with a policy.yaml.
    Hidden files and folders are left out. Raises `InputError` if `path` or `catalog` is not there.
    """
    if not is_there(path):
        raise InputError("rules", "a folder or file that exists", str(path))
    if catalog is not None and not is_folder(catalog):
        raise InputError("catalogue", "a folder with policy.yaml and catalog/", str(catalog))
    root = _root(path)
    home = catalog or _home(root)
    if _is_inside_catalog(root, home):
        raise InputError("rules", f"a folder of rules or a rule, such as {home}", f"{path}, of the catalogue")
    found = Folder(whole=root == path and (home == root or catalog is not None))
    for file in sorted(_walk(root)) if root == path else _one(path):
        relative = file.relative_to(root).as_posix()
        if file.suffix in _SUFFIXES and not _belongs_home(relative) and relative != _APPROVALS:
            _take(found, file, relative)
        elif file.suffix not in _SUFFIXES and file.suffix.lower() in _SUFFIXES:
            said = f"this file is not read: its name ends in `{file.suffix}`"
            found.problems.append(_problem(file, "R005", said, f"call it `{file.stem}{file.suffix.lower()}`"))
    for file in sorted(_walk(home)):
        relative = file.relative_to(home).as_posix()
        if _belongs_home(relative):
            _take(found, file, relative)
    found.approvals = home_of(path, catalog) / _APPROVALS
    if is_file(found.approvals):
        _take(found, found.approvals, _APPROVALS)
    if "policy.yaml" not in found.texts:
        found.shown["policy.yaml"] = str(home / "policy.yaml")
    found.shown["catalog"] = str(home / "catalog")
    for name in CATALOG_FILES:
        found.shown.setdefault(f"catalog/{name}.yaml", str(home / "catalog" / f"{name}.yaml"))
    return found


def home_of(path: Path, catalog: Path | None = None) -> Path:
    """Return the folder whose approvals are those of the rules at `path`.

    A catalogue from elsewhere may serve rules that have nothing to do with those beside it.
    """
    root = _root(path)
    return _home(root) if catalog is None else root


def set_of(path: Path) -> Path:
    """Return what to check when `path` is named: the whole set if it is a part of its house, else the path.

    The house is policy.yaml, approvals.yaml and catalog/: whether they are right shows in the rules. Raises
    `InputError` for a file that is no part of a set.
    """
    root = _root(path)
    home = _home(root)
    if _is_inside_catalog(root, home) or (is_file(path) and path.name in ("policy.yaml", _APPROVALS)):
        return home
    if is_file(path) and path.suffix.lower() not in _SUFFIXES:
        raise InputError("rules", "a folder, or a .yaml file, of rules", str(path))
    return path


def _root(path: Path) -> Path:
    """Return the folder that a path is, or is in."""
    return path if is_folder(path) else path.parent


def _one(path: Path) -> list[Path]:
    """A test file goes with its rule, and a rule with its tests."""
    name = path.name
    for suffix in _SUFFIXES:
        if name.endswith(f".test{suffix}"):
            stem = name.removesuffix(f".test{suffix}")
            others = [path.with_name(stem + ending) for ending in _SUFFIXES]
            break
    else:
        others = [path.with_name(f"{path.stem}.test{ending}") for ending in _SUFFIXES]
    return [*(other for other in others if not why_no(FILE, other)), path]


def _home(root: Path) -> Path:
    """Return the folder of the house: of the nearest with policy and catalogue, else with one of the two."""
    if _has_policy(root):
        return root
    here = root.resolve()
    for has_it in (
        lambda above: _has_policy(above) and _has_catalog(above),
        _has_catalog,
        _has_policy,
    ):
        for above in (here, *here.parents):
            if has_it(above):
                return root if above == here else _as_typed(above)
    return root


def _has_policy(folder: Path) -> bool:
    return not why_no(FILE, folder / "policy.yaml")


def _has_catalog(folder: Path) -> bool:
    return any(not why_no(FILE, folder / "catalog" / f"{name}.yaml") for name in CATALOG_FILES)


def _is_inside_catalog(root: Path, home: Path) -> bool:
    inside, catalog = root.resolve(), (home / "catalog").resolve()
    return inside == catalog or catalog in inside.parents


def _as_typed(folder: Path) -> Path:
    """Show a folder from here, where that is shorter."""
    shown = os.path.relpath(folder)
    return Path(shown) if len(shown) < len(str(folder)) else folder


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(folder) / name
            if not name.startswith("."):
                yield path


def _belongs_home(relative: str) -> bool:
    return relative == "policy.yaml" or (
        relative.startswith("catalog/") and relative.endswith((*_SUFFIXES, ".csv", AREA_SUFFIX))
    )


def _take(found: Folder, file: Path, relative: str) -> None:
    found.shown[relative] = str(file)
    before = len(found.problems)
    _read(found, file, relative)
    if len(found.problems) > before and _belongs_home(relative):
        found.home_broken = True


def _read(found: Folder, file: Path, relative: str) -> None:
    limit = {".csv": _LARGEST_LIST, AREA_SUFFIX: LARGEST}.get(file.suffix, MAX_BYTES)
    try:
        status = file.stat()
        if not S_ISREG(status.st_mode):  # a pipe would be waited for, a device has no end
            found.problems.append(_problem(file, "R006", "this is no file, but a pipe, device or folder"))
            return
        if status.st_size > limit:
            found.problems.append(_problem(file, "R004", f"this file is larger than {limit // 1024} KB"))
            return
        found.texts[relative] = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        said = f"this file is not UTF-8: byte {error.object[error.start]:#04x} at offset {error.start}"
        found.problems.append(_problem(file, "R006", said, "save it as UTF-8"))
    except OSError as error:
        found.problems.append(_problem(file, "R006", f"this file can't be read: {error.strerror}"))


def _problem(file: Path, code: str, message: str, hint: str = "") -> Problem:
    return Problem(str(file), 1, 1, 1, code, message, hint)
