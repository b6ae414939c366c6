"""Threads that all work until they are told to end."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Self


class Crowd(ABC):
    """`with` starts them, and ends them; each looks at `until`."""

    def __init__(self) -> None:
        self.until = threading.Event()
        self._threads: list[threading.Thread] = []

    @abstractmethod
    def work(self) -> Sequence[Callable[[], None]]:
        """What each of them does."""

    def __enter__(self) -> Self:
        for one in self.work():
            thread = threading.Thread(target=one, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self.until.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive()
