"""Where operations are carried out: in threads with event loops of their own, so that no answer holds up another."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from .errors import LimitExceeded

Answer = TypeVar("Answer")


class TooBusy(LimitExceeded):
    """More is asked at once than may wait for its turn; the same may go through a moment later."""


class Answering:
    """Puts answers together while the server's own loop goes on."""

    def __init__(self, threads: int, most: int) -> None:
        """`threads` answers are put together at once, `most` may be begun or wait, each within its time."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="answer")
        self._most = most
        self._begun = 0
        self._lock = Lock()

    async def do(self, work: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """Carry out an operation; the lines that it logs bear the request's id. Raises `TooBusy`."""
        here = contextvars.copy_context()
        self._enter()
        try:
            future = self._threads.submit(lambda: here.run(asyncio.run, work()))
        except BaseException:
            self._leave(None)
            raise
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _enter(self) -> None:
        with self._lock:
            if self._begun >= self._most:
                raise TooBusy(
                    f"{self._most} queries are being answered or wait for it: ask again in a moment",
                    setting="server.limits.queries",
                )
            self._begun += 1

    def _leave(self, _future: "Future[Any] | None") -> None:
        with self._lock:
            self._begun -= 1
