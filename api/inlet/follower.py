"""What makes scopes of the stored events: a thread that follows the log and is never ahead of it."""

import threading
from collections.abc import Callable

import structlog

from ...federation.errors import AlreadyRunning, WatersmeetError

_log = structlog.get_logger(__name__)
_LOOK = 1.0
"""Seconds until it looks by itself: another process may have taken events."""
_WORST = 30.0
"""Seconds between two tries when nothing goes."""


class Follower:
    """Calls `project` until it says 0, whenever it is woken."""

    def __init__(self, project: Callable[[], int], *, look: float = _LOOK) -> None:
        self._project = project
        self._look = look
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._woken.set()  # what a former process left
        self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        self._woken.set()

    def stop(self) -> None:
        """End after the round at hand; the cursor in the store knows where to go on."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = self._look
        while not self._stopping.is_set():
            self._woken.wait(pause)
            self._woken.clear()
            pause = self._look if self._catch_up() else min(_WORST, pause * 2)

    def _catch_up(self) -> bool:
        """Project all there is; False: it did not go."""
        try:
            while not self._stopping.is_set() and self._project():
                pass
        except AlreadyRunning:
            return True  # another process is at it
        except WatersmeetError as error:
            _log.warning("posted events wait", reason=str(error))
            return False
        except Exception:  # the inlet goes on taking events, and the lag shows that they wait
            _log.exception("posted events could not be made part of the graph")
            return False
        return True
