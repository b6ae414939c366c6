"""MLflow's REST API over HTTP: one workspace's header on every call, and answers told apart that look alike."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import httpx2

from ...config.errors import Misconfigured
from ...config.settings import Source
from ...federation.model import Json
from ..http import Absent, Denied
from ..http.sizes import Sizes
from .api import Missing
from .wire import loads, text

WORKSPACE = "X-MLFLOW-WORKSPACE"
T = TypeVar("T")


class Rest:
    """A tracking server. `workspace` is empty where the server has none."""

    def __init__(
        self,
        source: Source,
        workspace: str,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._source = source
        headers = {WORKSPACE: workspace} if workspace else None
        self._http = Sizes(source, headers=headers, transport=transport, sleep=sleep)

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Json:
        """Ask by GET."""
        return self._asked(lambda: self._http.roomy.get_json(path, params))

    def post(self, path: str, body: Mapping[str, Json]) -> Json:
        """Ask by POST. What one row alone needs is taken, up to the limit of the settings."""
        is_smallest = body.get("max_results") == 1
        return self._asked(lambda: (self._http.roomy if is_smallest else self._http.paged).post_json(path, dict(body)))

    def text(self, path: str, params: Mapping[str, str | int] | None = None) -> str:
        """Ask for something that is no JSON."""
        return self._asked(lambda: self._http.roomy.get_text(path, params))

    def close(self) -> None:
        """Give back connections."""
        self._http.close()

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except Absent as error:
            said = loads(error.answer.text())
            # A workspace that is not there, or not ours to see, is no proof about what is in it.
            told = text(said, "error_code") == "RESOURCE_DOES_NOT_EXIST" and "Workspace '" not in text(said, "message")
            raise Missing(str(error), told=told, sample=error.sample) from error
        except Denied as error:
            if "Invalid Host header" in error.answer.text():
                raise Misconfigured(
                    f"mlflow {self._source.name!r}: the server does not answer to the name in url: start it with "
                    "--allowed-hosts naming it, or write the name that it knows, e.g. http://127.0.0.1:5000"
                ) from error
            raise
