"""Under which namespace and name, or which run id, things of every platform go out into the world of OpenLineage."""

import uuid
from collections.abc import Iterator

from ..model import AssetKind, EdgeKind, Form, Record, Spelling
from ..naming.mlflow import paired
from ..naming.systems import Shape, system
from ..naming.uri import split
from .document import Pair, canonical
from .subjects import ExportSource, Subject

OURS = "watersmeet"
"""The namespace of what no other has a name for."""
_RUNS = uuid.UUID("5c0f2d0e-6a0d-5a55-9b0b-0b6d3a1f7f52")
_PLURALS = {
    "model": "models",
    "model-version": "models",
    "logged-model": "logged-models",
    "prompt": "prompts",
    "prompt-version": "prompts",
    "experiment": "experiments",
    "run": "runs",
    "dataset": "datasets",
    "deployment": "deployments",
}
_BEST = (Form.OPENLINEAGE, Form.MLFLOW, Form.TABLE, Form.URI, Form.LOCAL)
_VERSIONS = (AssetKind.DATASET_VERSION, AssetKind.COLUMN, AssetKind.RUN, AssetKind.JOB)


def pairs(record: Record) -> Iterator[Pair]:
    """Every name that the thing has in OpenLineage's terms, the best first; the last one is ours and always there."""
    if record.kind not in _VERSIONS:
        strong = [one for one in record.spellings if not one.weak]
        for form in _BEST:
            for one in sorted((one for one in strong if one.form is form), key=lambda one: one.parts):
                found = _pair(one)
                if found is not None and all(found):
                    yield found
    yield OURS, record.native_id


def symlinks(record: Record, own: Pair) -> list[tuple[str, str, str]]:
    """Its further names: (namespace, name, type)."""
    found = {
        (*pair, _type(record)): None
        for pair in pairs(record)
        if canonical(*pair) != canonical(*own) and pair[0] != OURS
    }
    for one in record.spellings:
        if one.form is Form.SYMLINK and len(one.parts) == 3 and one.parts[2] != "RENAMED":
            found[one.parts[0], one.parts[1], one.parts[2]] = None
    return sorted(found)


def job_pair(record: Record) -> Pair:
    """Namespace and name of a job."""
    for one in sorted((one for one in record.spellings if one.form is Form.OPENLINEAGE_JOB), key=lambda one: one.parts):
        return one.parts[0], one.parts[1]
    return OURS, record.native_id


def exported_run_id(native_id: str) -> str:
    """The id of a run: its own where it is one that OpenLineage takes, else one that is always the same."""
    own = native_id.removeprefix("run:")
    try:
        return str(uuid.UUID(own)) if own != native_id else str(uuid.uuid5(_RUNS, native_id))
    except ValueError:
        return str(uuid.uuid5(_RUNS, native_id))


class Book:
    """The names of everything that is exported, none given twice."""

    def __init__(self, source: ExportSource) -> None:
        self.kinds: dict[str, AssetKind] = {}
        self._pairs: dict[str, Pair] = {}
        self._columns: dict[str, tuple[str, str]] = {}
        self._versions: dict[str, tuple[str, str]] = {}
        taken: set[Pair] = set()
        for subject in source.datasets():
            self._enter(subject, taken)
        for subject in source.jobs():
            self.kinds[subject.record.native_id] = AssetKind.JOB
            self._pairs[subject.record.native_id] = job_pair(subject.record)

    def pair(self, native_id: str) -> Pair:
        """The pair of a dataset or job; what nobody described goes by its native id."""
        return self._pairs.get(native_id, (OURS, native_id))

    def dataset(self, native_id: str) -> str:
        """The dataset itself, of a version or a column of it."""
        native_id = self._columns.get(native_id, (native_id, ""))[0]
        return self._versions.get(native_id, (native_id, ""))[0]

    def version(self, native_id: str) -> str:
        """Which version of its dataset is meant; empty for none."""
        return self._versions.get(native_id, ("", ""))[1]

    def field(self, native_id: str) -> str:
        """The path of a column; empty for what is none."""
        return self._columns.get(native_id, ("", ""))[1]

    def _enter(self, subject: Subject, taken: set[Pair]) -> None:
        record = subject.record
        native_id = record.native_id
        self.kinds[native_id] = record.kind
        own: Pair = (OURS, native_id)
        # A name that may be no dataset would join others of its kind in the target.
        names = () if record.suspect else pairs(record)
        found = next((one for one in names if canonical(*one) not in taken), own)
        taken.add(canonical(*found))
        self._pairs[native_id] = found
        for column in subject.columns:
            self.kinds[column.native_id] = AssetKind.COLUMN
            self._columns[column.native_id] = (native_id, column.name)
        told = record.facets.get("version")
        for edge in subject.edges:
            if edge.kind is EdgeKind.VERSION_OF and isinstance(told, str) and record.kind is AssetKind.DATASET_VERSION:
                self._versions[native_id] = (edge.downstream, told)


def _pair(spelling: Spelling) -> Pair | None:
    match spelling.form:
        case Form.OPENLINEAGE:
            return spelling.parts[0], spelling.parts[1]
        case Form.MLFLOW:
            instance, _, type_, id_ = spelling.parts
            name = f"{_PLURALS.get(type_, type_)}/{id_}"
            return (f"mlflow://{instance}", name) if instance and paired(name) else None
        case Form.TABLE:
            return _table(*spelling.parts)
        case Form.URI:
            return split(spelling.parts[0]) if ":/" in spelling.parts[0] else None
        case Form.LOCAL:
            host, path = spelling.parts
            return (f"file://{host}" if host else "file", path) if path.startswith("/") else None
        case _:
            return None


def _table(word: str, authority: str, name: str) -> Pair | None:
    rules = system(word)
    if rules.shape is not Shape.DOTTED or (rules.placed and not authority):
        return None
    return canonical(f"{rules.prefix}://{authority}" if authority else rules.prefix, name)


def _type(record: Record) -> str:
    return "TABLE" if record.kind is AssetKind.DATASET and record.subtype in ("table", "view") else record.kind.value
