"""`approvals.yaml` on disk: an entry replaced, whole or not at all, whoever else writes the file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import InputError, RulesError
from engine.language.approvals import Approval, Entry, read_approvals, written
from engine.language.report import Report
from engine.language.source import read


def approve(file: Path, rule: str, approval: Approval) -> None:
    """Record an approval; entries of other rules stay as they are, those of two runs at a time, too.

    Raise `RulesError` if the file can't be read as approvals, `InputError` if it can't be written.
    """
    try:
        with _alone(file.parent):
            entries = {name: entry.approval for name, entry in _read(file).items()}
            entries[rule] = approval
            _replace(file, written(entries))
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise InputError(str(file), "a file that can be written", said) from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: no lock file is left among the rules."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(file: Path) -> dict[str, Entry]:
    try:
        text = file.read_bytes().decode()
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise InputError(str(file), "UTF-8", f"byte {error.object[error.start]:#04x}") from None
    report = Report(read(str(file), text))
    entries = dict(read_approvals(report).entries)
    if report.failed:
        raise RulesError(tuple(report.problems))
    return entries


def _replace(file: Path, text: str) -> None:
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with fresh.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        if file.exists():
            os.chmod(fresh, file.stat().st_mode)
        os.replace(fresh, file)
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()
