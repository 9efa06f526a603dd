"""Logs of a role: JSON lines on stderr, from our own code and from the libraries alike, without any number.

    {"t": "2026-09-07T08:30:00.123Z", "level": "info", "role": "engine", "logger": "engine.lane",
     "event": "assigned", "partition": 3, "fields_dropped": 1}

Our code logs with `structlog.get_logger("engine.lane").info("assigned", partition=3)`: a text that stays the
same, and fields of `engine.log_fields.FIELDS`. Others are left out and counted as `fields_dropped`. Libraries
log with the standard library; their lines get the same treatment. So do warnings, and exceptions that nobody
caught: Python itself would print them as they are.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Final, TextIO

import orjson
import structlog

from engine.log_fields import allowed, hide, shown_exception
from engine.log_pace import LogPace

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_PLAIN: Final = {"warn": "warning", "exception": "error", "fatal": "critical"}
"""Names of structlog's methods that are not names of levels."""

LIKE: Final = 40
"""Characters of a library's text by which lines are alike: its values come later, if they are in it."""

Write = Callable[[bytes], object]


def setup(level: str, role: str, write: Write | None = None) -> None:
    """Have everything that this process logs become JSON lines; call it once, before anything is logged.

    `level`: `debug`, `info`, `warning` or `error`. `write` takes a line; None: stderr as it is now, for
    libraries may put something else in its place. A library must not set up logging after this: mode's worker
    wants `override_logging=False, redirect_stdouts=False`, uvicorn `log_config=None`.
    """
    lines = _Lines(role, write or partial(_write_to, sys.stderr))
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, lines.of_structlog],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *names: _Logger(str(names[0]) if names else "", lines.write),
        cache_logger_on_first_use=False,
    )
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            logger.handlers.clear()
            logger.propagate, logger.disabled = True, False
            logger.setLevel(logging.NOTSET)
    logging.root.handlers[:] = [_Handler(lines)]
    logging.root.setLevel(LEVELS[level])
    warnings.showwarning = lines.of_warning  # type: ignore[assignment]
    sys.excepthook = lines.of_uncaught
    threading.excepthook = lambda args: lines.of_thread(args.exc_type, args.exc_value)
    sys.unraisablehook = lambda args: lines.of_thread(args.exc_type, args.exc_value)


class _Lines:
    """Makes lines of whatever is logged."""

    def __init__(self, role: str, write: Write) -> None:
        self.role = role
        self.write = write

    def of_structlog(self, logger: _Logger, method: str, fields: MutableMapping[str, Any]) -> bytes:
        """Make a line of a call of structlog: its last processor."""
        text = fields.pop("event", "")
        error = _exception(fields.pop("exc_info", None))
        fields.pop("stack_info", None)
        return self.line(_PLAIN.get(method, method), logger.name, str(text), dict(fields), error)

    def of_record(self, record: logging.LogRecord, left_out: int = 0) -> bytes:
        """Make a line of a record of the standard library; `left_out`: so many like it have none."""
        try:
            text = record.getMessage()
        except Exception:
            text = f"{record.msg if isinstance(record.msg, str) else '?'} (its values did not fit)"
        if left_out:
            text += f" (and {left_out} times before)"
        return self.line(record.levelname.lower(), record.name, text, {}, _exception(record.exc_info))

    def of_warning(
        self, message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object
    ) -> None:
        """Log a warning: without the line of source that Python would show."""
        self.write(self.line("warning", "py.warnings", f"{category.__name__}: {message}", {"line": lineno}))

    def of_uncaught(
        self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        """Log what ends the process."""
        if issubclass(kind, KeyboardInterrupt):
            return
        self.write(self.line("critical", "python", "ended by an exception", {}, error))

    def of_thread(self, kind: type[BaseException], error: BaseException | None) -> None:
        """Log an exception that ended a thread, or that Python could not hand to anybody."""
        if kind is not SystemExit:
            self.write(self.line("error", "python", "an exception that nobody caught", {}, error))

    def line(
        self, level: str, logger: str, text: str, fields: dict[str, Any], error: BaseException | None = None
    ) -> bytes:
        """Make a line: the only place that says what one looks like."""
        kept, dropped = allowed(fields)
        line: dict[str, Any] = {
            "t": _now(),
            "level": level,
            "role": self.role,
            "logger": hide(logger),
            "event": hide(text),
            **kept,
        }
        if error is not None:
            line["exception"] = shown_exception(error)
        if dropped:
            line["fields_dropped"] = dropped
        return orjson.dumps(line, default=_never, option=orjson.OPT_APPEND_NEWLINE)


class _Logger:
    """What structlog hands finished lines to."""

    def __init__(self, name: str, write: Write) -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = write
        self.warn, self.fatal, self.exception, self.log, self.msg = (write,) * 5


class _Handler(logging.Handler):
    """Takes what libraries log: a client whose broker is away says the same some hundred times a second."""

    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines
        self._pace = LogPace()
        self._left_out: Counter[tuple[str, int, str]] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as a line, unless its like came too often."""
        like = record.name, record.levelno, str(record.msg)[:LIKE]
        if not self._pace.allows(like):
            self._left_out[like] += 1
            return
        self._lines.write(self._lines.of_record(record, self._left_out.pop(like, 0)))


def _exception(info: Any) -> BaseException | None:
    """Return the exception that `exc_info` means: itself, a tuple of three, or True for the present one."""
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return info[1] if isinstance(info[1], BaseException) else None
    return sys.exc_info()[1] if info else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")  # noqa: TID251


def _never(value: object) -> str:
    """Stand in for a value that JSON does not have."""
    return f"<{type(value).__name__}>"


def _write_to(stream: TextIO | None, line: bytes) -> None:
    """Write a line at once; a stream that is closed must not end a lane."""
    try:
        if stream is not None:
            stream.buffer.write(line)
            stream.buffer.flush()
    except (OSError, ValueError):
        return
