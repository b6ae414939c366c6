"""The same questions put to a store that speaks no HTTP: a SQLite file, a folder, Databricks' or a plugin's own scheme.

MLflow's own package (the extra `mlflow`) opens it. What it opens is only read: a file or folder must be there, a
database is opened read-only and must have the schema of that package, for opening an older one would upgrade it.
"""

import sqlite3
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

import orjson

from ...config.errors import Misconfigured
from ...federation.errors import SourceChanged, SourceRefused, SourceUnavailable
from ...federation.model import Json
from .api import V2, V3, Missing

_MISSING = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "ENDPOINT_NOT_FOUND"})
_REFUSED = frozenset({"PERMISSION_DENIED", "UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED"})
_PASSING = frozenset({"TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"})


def is_native(url: str) -> bool:
    """Whether an address is for MLflow's own package and not for HTTP."""
    return urlsplit(url).scheme.lower() not in ("http", "https")


class Native:
    """A tracking store and a registry of MLflow's own package, asked in the words of the REST API."""

    def __init__(self, tracking: Any, registry: Any, version: str, release: Callable[[], None]) -> None:
        self._tracking = tracking
        self._registry = registry
        self._version = version
        self._release = release

    @classmethod
    def open(cls, url: str, source: str) -> "Native":
        """Open what is there, for reading. Raises `Misconfigured`, `SourceChanged`, `SourceUnavailable`."""
        mlflow = _package(source)
        scheme = urlsplit(url).scheme.lower()
        place = _local(url)
        if place is not None and place.is_file():
            return _database(f"sqlite:///{place}", source, mlflow.__version__)
        if scheme in ("", "file"):
            return cls(*_folder(url, source), mlflow.__version__, _nothing)
        if scheme == "sqlite":
            return _database(url, source, mlflow.__version__)
        return cls(*_plugged(url, source), mlflow.__version__, _nothing)

    def close(self) -> None:
        """Give back the database's connections."""
        self._release()

    def text(self, path: str, params: Mapping[str, str | int] | None = None) -> str:
        """The version of the package, or a file of a model that lies in a folder of this machine."""
        if path == "/version":
            return self._version
        match path.removeprefix("/ajax-api/2.0/mlflow/").split("/"):
            case ["logged-models", model_id, "artifacts", "files"]:
                return self._file(model_id, str((params or {})["artifact_file_path"]))
            case _:
                raise Missing(f"a store that speaks no HTTP has no {path}", told=False)

    def _file(self, model_id: str, path: str) -> str:
        model = self._ask(lambda: _json(self._tracking.get_logged_model(model_id)))
        folder = _local(str(model["info"].get("artifact_uri", "")))
        if folder is not None and (folder / path).is_file():
            return (folder / path).read_text("utf-8")
        raise Missing(f"{path} of {model_id} does not lie on this machine", told=False)

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Json:
        """Answer a GET of the REST API from the store."""
        asked = dict(params or {})
        if path == f"{V3}/server-info":
            return {"store_type": type(self._tracking).__name__}
        match path.removeprefix(V2).removeprefix(V3).strip("/").split("/"):
            case ["runs", "get"]:
                return self._ask(lambda: {"run": _json(self._tracking.get_run(asked["run_id"]))})
            case ["experiments", "get"]:
                return self._ask(lambda: {"experiment": _json(self._tracking.get_experiment(asked["experiment_id"]))})
            case ["logged-models", model_id]:
                return self._ask(lambda: {"model": _json(self._tracking.get_logged_model(model_id))})
            case ["datasets", dataset_id]:
                return self._ask(lambda: {"dataset": _json(self._tracking.get_dataset(dataset_id))})
            case ["registered-models", "search"]:
                return self._list("registered_models", self._registry.search_registered_models, *_page(asked))
            case ["model-versions", "search"]:
                return self._list("model_versions", self._registry.search_model_versions, *_page(asked))
            case ["registered-models", "get"]:
                return self._ask(
                    lambda: {"registered_model": _json(self._registry.get_registered_model(asked["name"]))}
                )
            case ["model-versions", "get"]:
                version = (asked.get("name"), str(asked.get("version")))
                return self._ask(lambda: {"model_version": _json(self._registry.get_model_version(*version))})
            case _:
                raise Missing(f"a store that speaks no HTTP has no {path}", told=False)

    def post(self, path: str, body: Mapping[str, Json]) -> Json:
        """Answer a search of the REST API from the store."""
        filter_, most, order, token = (
            body.get("filter"),
            body["max_results"],
            body.get("order_by"),
            body.get("page_token"),
        )
        match path.removeprefix(V2).removeprefix(V3).strip("/"):
            case "experiments/search":
                return self._list("experiments", self._tracking.search_experiments, _ALL, most, filter_, order, token)
            case "runs/search":
                ids = body["experiment_ids"]
                return self._list("runs", self._tracking.search_runs, ids, filter_, _ALL, most, order, token)
            case "logged-models/search":
                ids = body["experiment_ids"]
                return self._list("models", self._tracking.search_logged_models, ids, filter_, None, most, order, token)
            case "datasets/search":
                ids = body["experiment_ids"]
                return self._list("datasets", self._tracking.search_datasets, ids, None, most, None, token)
            case _:
                raise Missing(f"a store that speaks no HTTP has no {path}", told=False)

    def _list(self, name: str, search: Callable[..., Iterable[Any]], *arguments: Json) -> Json:
        def answer() -> dict[str, Json]:
            found = search(*arguments)
            token = getattr(found, "token", None)
            return {name: [_json(one) for one in found]} | ({"next_page_token": token} if token else {})

        return self._ask(answer)

    def _ask(self, question: Callable[[], Json]) -> Json:
        from mlflow.exceptions import MlflowException

        try:
            return question()
        except NotImplementedError as error:
            raise Missing(f"this store does not know that: {error}", told=False) from error
        except MlflowException as error:
            raise _translated(error) from error


_ALL = 3
"""ViewType.ALL: deleted things too."""


def _translated(error: Any) -> Exception:
    code, message = str(error.error_code), str(error)[:300]
    if code in _MISSING:
        return Missing(message, told=code == "RESOURCE_DOES_NOT_EXIST")
    if code in _REFUSED:
        return SourceRefused(message)
    if code in _PASSING:
        return SourceUnavailable(message)
    return SourceChanged(message)


def _json(entity: Any) -> Json:
    """An entity as the REST API writes it: through the messages that both are made of."""
    from mlflow.utils import proto_json_utils

    return orjson.loads(cast(Any, proto_json_utils).message_to_json(entity.to_proto()))


def _page(asked: Mapping[str, str | int]) -> tuple[Json, int, None, Json]:
    return asked.get("filter"), int(asked["max_results"]), None, asked.get("page_token")


def _local(uri: str) -> Path | None:
    """The folder that an address names, where it names one."""
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file") or not parts.path:
        return None
    return Path(url2pathname(parts.path))


def _nothing() -> None:
    """A folder holds nothing open."""


def _package(source: str) -> ModuleType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whatever the package deprecates is not ours to mend
            import mlflow
    except ImportError as error:
        raise Misconfigured(
            f"source {source!r}: an address that is not http needs MLflow's own package: "
            "pip install 'watersmeet[mlflow]', or give the address of a tracking server, http://127.0.0.1:5000"
        ) from error
    return mlflow


def _plugged(url: str, source: str) -> tuple[Any, Any]:
    """The stores of Databricks, or of whatever plugin knows the scheme."""
    from mlflow.exceptions import MlflowException
    from mlflow.tracking._model_registry import utils as registries
    from mlflow.tracking._tracking_service import utils as trackers

    registry = url.replace("databricks", "databricks-uc", 1) if url.startswith("databricks") else url
    try:
        # The one public way from an address to the stores of plugins is the client, which hides them again.
        return cast(Any, trackers)._get_store(url), cast(Any, registries)._get_store(registry, url)
    except MlflowException as error:
        raise Misconfigured(
            f"source {source!r}: MLflow's package knows no store at that address ({str(error)[:200]}): write http://, "
            "https://, sqlite:///, file: or databricks, or install the plugin that knows it"
        ) from error


def _folder(url: str, source: str) -> tuple[Any, Any]:
    """A folder of MLflow's file store. Its own constructor would make what is not there, so it is not called."""
    from mlflow.store.model_registry.file_store import FileModelVersion
    from mlflow.store.model_registry.file_store import FileStore as Registry
    from mlflow.store.tracking.file_store import FileStore as Tracking

    folder = _local(url)
    if folder is None or not folder.is_dir():
        raise SourceUnavailable(f"mlflow {source!r}: there is no folder {folder}; nothing was made")

    class ReadOnlyRegistry(Registry):
        def _get_file_model_version_from_dir(self, directory: str) -> Any:
            # The original asks the process's default store for the logged model, and so makes a database somewhere.
            meta = cast(Any, Registry)._read_yaml(directory, Registry.META_DATA_FILE_NAME)
            meta["tags"] = cast(Any, self)._get_model_version_tags_from_dir(directory)
            return FileModelVersion.from_dictionary({key: one for key, one in meta.items() if key != "model_id"})

    tracking, registry = cast(Any, Tracking.__new__(Tracking)), cast(Any, ReadOnlyRegistry.__new__(ReadOnlyRegistry))
    for store in (tracking, registry):
        store.root_directory = str(folder.resolve())
        store.artifact_root_uri = folder.resolve().as_uri()
    tracking.trash_folder = str(folder.resolve() / Tracking.TRASH_FOLDER_NAME)
    return tracking, registry


def _database(url: str, source: str, version: str) -> Native:
    """A SQLite file, opened so that the database itself refuses to write."""
    from mlflow.store.db import utils
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Tracking

    class ReadOnlyTracking(Tracking):
        def _initialize_store_state(self) -> None:
            """Would make the experiment `Default` where somebody deleted it."""

    class ReadOnlyRegistry(Registry):
        def _initialize_store_state(self) -> None:
            """Would write too."""

    file = Path(url.removeprefix("sqlite:///").partition("?")[0])
    if not file.is_file():
        raise SourceUnavailable(f"mlflow {source!r}: there is no database {file}; nothing was made")
    wanted = utils._get_latest_schema_revision()  # pyright: ignore[reportPrivateUsage]  # no public way tells it
    _check_schema(file, wanted, source, version)
    address = f"sqlite:///file:{quote(str(file.resolve()))}?mode=ro&uri=true"
    engine = cast(Any, utils).create_sqlalchemy_engine(address)
    # Both stores look here first; left to themselves they would make the folders of a file that is missing.
    Tracking._engine_map[address] = Registry._engine_map[address] = engine  # pyright: ignore[reportPrivateUsage]

    def release() -> None:
        engine.dispose()
        for store in (Tracking, Registry):
            store._engine_map.pop(address, None)  # pyright: ignore[reportPrivateUsage]  # as above

    return Native(ReadOnlyTracking(address, file.parent.as_uri()), ReadOnlyRegistry(address), version, release)


def _check_schema(file: Path, wanted: str, source: str, version: str) -> None:
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise SourceChanged(f"mlflow {source!r}: {file} cannot be read as a database of MLflow: {error}") from error
    if found is None or found[0] != wanted:
        raise SourceChanged(
            f"mlflow {source!r}: the schema of {file} is {found[0] if found else 'none'}, and MLflow {version} here "
            f"wants {wanted}. It is left as it is: install the MLflow that wrote it, upgrade it with `mlflow db "
            "upgrade`, or read it through its server"
        )
