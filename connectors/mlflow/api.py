"""What a tracking server or a tracking store is asked, whichever road leads there."""

from collections.abc import Mapping
from typing import Protocol

from ...federation.errors import SourceChanged
from ...federation.model import Json

V2 = "/api/2.0/mlflow"
V3 = "/api/3.0/mlflow"


class Missing(SourceChanged):
    """404: the thing or the route is not there. `told`: MLflow itself said so, and not some page in front of it."""

    def __init__(self, message: str, *, told: bool, sample: str = "") -> None:
        super().__init__(message, sample=sample)
        self.told = told


class Api(Protocol):
    """MLflow's REST API of one workspace: paths and fields as documented, answers as decoded JSON."""

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Json:
        """Ask by GET. Raises `SourceError`, `Missing` on 404."""
        ...

    def post(self, path: str, body: Mapping[str, Json]) -> Json:
        """Ask by POST: MLflow's searches change nothing. Raises as `get` does."""
        ...

    def text(self, path: str, params: Mapping[str, str | int] | None = None) -> str:
        """Ask for something that is no JSON."""
        ...

    def close(self) -> None:
        """Give back connections and files."""
        ...
