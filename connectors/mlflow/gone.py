"""Whether things that a listing lacked are really gone."""

from collections.abc import Callable, Collection, Iterable, Iterator

from ...federation.errors import SourceRefused
from .api import V2, V3, Api, Missing


class Gone:
    """Asks for each thing in its own workspace: elsewhere it is 404 too, which proves nothing."""

    def __init__(self, api: Callable[[str], Api], workspaces: Collection[str]) -> None:
        self._api = api
        self._workspaces = frozenset(workspaces)
        self.refused: list[str] = []
        """Those that are hidden: not absent, and not to be seen."""

    def of(self, native_ids: Iterable[str]) -> Iterator[str]:
        """Those for which MLflow itself says that they do not exist."""
        asked: dict[str, bool] = {}
        for native_id in native_ids:
            owner = native_id.partition("#")[0]  # a column is gone when what it is part of is
            if owner not in asked:
                asked[owner] = self._is_gone(owner)
            if asked[owner]:
                yield native_id

    def _is_gone(self, native_id: str) -> bool:
        kind, _, rest = native_id.partition("/")
        workspace, _, path = rest.partition("/")
        if workspace not in self._workspaces:
            return False  # a workspace that we do not see hides what is in it
        question = _question(kind, path)
        if question is None:
            return False
        try:
            self._api(workspace).get(*question)
        except Missing as error:
            return error.told
        except SourceRefused:
            self.refused.append(native_id)
            return False
        return False


def _question(kind: str, path: str) -> tuple[str, dict[str, str | int]] | None:
    """What to ask for a thing; None for what has no listing of its own (datasets, jobs, code, evaluations)."""
    name, _, version = path.rpartition("/")
    match kind:
        case "run":
            return f"{V2}/runs/get", {"run_id": path}
        case "experiment":
            return f"{V2}/experiments/get", {"experiment_id": path}
        case "logged-model" if not path.startswith("runs:/"):
            return f"{V2}/logged-models/{path}", {}
        case "model" | "prompt":
            return f"{V2}/registered-models/get", {"name": path}
        case "model-version" | "prompt-version":
            return f"{V2}/model-versions/get", {"name": name, "version": version}
        case "evaluation-dataset":
            return f"{V3}/datasets/{path}", {}
        case "gateway-endpoint":
            return f"{V3}/gateway/endpoints/get", {"endpoint_id": path}
        case _:
            return None
