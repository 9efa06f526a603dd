"""Wait for what comes true in a while, instead of sleeping."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")


@overload
async def eventually(check: Callable[[], Awaitable[T]], within: float = ..., every: float = ...) -> T: ...


@overload
async def eventually(check: Callable[[], T], within: float = ..., every: float = ...) -> T: ...


async def eventually(check: Callable[[], T | Awaitable[T]], within: float = 10, every: float = 0.02) -> T:
    """Ask `check`, a plain or an async function, until it is truthy; return what it said.

    An AssertionError in it means "not yet", any other error is passed on. `within` and `every` are seconds.
    Raises AssertionError with the last answer when time is up.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while True:
        failed: AssertionError | None = None
        said: T | None = None
        try:
            answer = check()
            said = await answer if inspect.isawaitable(answer) else answer
            if said:
                return said
        except AssertionError as error:
            failed = error
        if loop.time() > end:
            was = str(failed) if failed is not None else repr(said)
            raise AssertionError(f"expected to come true within {within:g} s, was {was}") from failed
        await asyncio.sleep(every)
