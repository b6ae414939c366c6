"""What a server of this version and setup can be asked."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ...federation.errors import SourceChanged
from ...federation.model import Json
from .api import V3, Api, Missing
from .paging import listed
from .wire import field, sample, text


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Old servers lack whole parts of the API; asking for them answers 404."""

    version: str | None = None
    workspaces: bool = False
    logged_models: bool = True
    evaluation_datasets: bool = True
    gateway: bool = False

    def shown(self) -> dict[str, bool]:
        """As `check` tells it."""
        return {name: bool(value) for name, value in asdict(self).items() if name != "version"}


def probe(api: Api) -> Capabilities:
    """Two calls: `server-info` (MLflow 3.x) needs no login, the version does, so it proves the credential."""
    version = _version(api)
    try:
        info = api.get(f"{V3}/server-info")
    except Missing:
        # MLflow 3 without this route has logged models; 1 and 2 have none.
        return Capabilities(version, logged_models=_major(version) >= 3, evaluation_datasets=_at_least(version, 3, 4))
    if not isinstance(info, Mapping) or "store_type" not in info:
        # Taken for a server that can nothing, it would hide whole workspaces.
        raise SourceChanged("an answer to server-info that does not tell the kind of store", sample=sample(info))
    features = field(info, "features_enabled")
    return Capabilities(
        version,
        workspaces=field(info, "workspaces_enabled") is True,
        evaluation_datasets=text(info, "store_type") != "FileStore",
        gateway=field(features, "gateway") is True,
    )


def _version(api: Api) -> str | None:
    try:
        written = api.text("/version").strip()
    except Missing:
        return None  # before 1.x had the route, and on Databricks
    return written if re.match(r"\d+\.\d", written) else None


def _major(version: str | None) -> int:
    return int((version or "3").partition(".")[0])


def _at_least(version: str | None, major: int, minor: int) -> bool:
    parts = (version or "3.4").split(".")
    told = tuple(int(part) for part in parts[:2] if part.isdigit())
    return told >= (major, minor)


def workspaces(api: Api, can: Capabilities) -> tuple[str, ...]:
    """The workspaces that the caller may see; one implicit one where the feature is off."""
    if not can.workspaces:
        return ("default",)
    answer: Json = api.get(f"{V3}/workspaces")
    found = listed(answer, "workspaces")
    if found.strange:
        raise SourceChanged("a list of workspaces with a row that is no object", sample=sample(answer))
    return tuple(name for one in found if (name := text(one, "name")))
