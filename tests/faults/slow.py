"""The faulty proxies before Redis and Kafka, in a thread of their own: rows are plain code without a loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

from tests.servers.proxy import Proxy


class Slow:
    """`with Slow(kafka.proxy, redis.port) as slow:` both proxies run."""

    def __init__(self, make_kafka: Callable[[], Proxy], redis_port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._make_kafka = make_kafka
        self._port = redis_port
        self._proxies: dict[str, Proxy] = {}

    def __enter__(self) -> Slow:
        self._thread.start()
        self._proxies = {"redis": Proxy(self._port), "kafka": self._make_kafka()}
        for proxy in self._proxies.values():
            self._do(proxy.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for proxy in self._proxies.values():
            self._do(proxy.cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def redis(self) -> str:
        """HOST:PORT of the proxy before Redis."""
        return self._proxies["redis"].address

    @property
    def kafka(self) -> str:
        """HOST:PORT of the proxy before Kafka."""
        return self._proxies["kafka"].address

    def delay(self, which: str, ms: float) -> None:
        """Hold bytes back in both directions, half of it in each."""
        self._loop.call_soon_threadsafe(self._proxies[which].delay, ms / 2, ms / 2)

    def half_open(self, which: str) -> None:
        """Accept, and answer nothing."""
        self._loop.call_soon_threadsafe(self._proxies[which].half_open)

    def reset(self, which: str) -> None:
        """Break every connection."""
        self._do(self._proxies[which].reset())

    def heal(self, which: str) -> None:
        """End the fault."""
        self._do(self._proxies[which].heal())

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
