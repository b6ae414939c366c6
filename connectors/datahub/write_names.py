"""Under which URN a thing of another platform stands in DataHub."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ...federation.dossier import Dossier
from ...federation.model import AssetKind, Form, Record
from ...federation.naming import Registry, keys_of
from .options import Options
from .urn import encoded

TYPES: Mapping[AssetKind, str] = {
    AssetKind.COLUMN: "schemaField",
    AssetKind.FEATURE_TABLE: "mlFeatureTable",
    AssetKind.FEATURE: "mlFeature",
    AssetKind.JOB: "dataJob",
    AssetKind.RUN: "dataProcessInstance",
    AssetKind.EVALUATION: "dataProcessInstance",
    AssetKind.EXPERIMENT: "container",
    AssetKind.MODEL: "mlModelGroup",
    AssetKind.MODEL_VERSION: "mlModel",
    AssetKind.DEPLOYMENT: "mlModelDeployment",
    AssetKind.DASHBOARD: "dashboard",
}
"""As what each kind stands there; all others, which DataHub has no kind for, as datasets of a subtype."""
_CALLED = {"gs": "gcs", "unitycatalog": "databricks"}
"""Systems that DataHub calls otherwise than we do."""
_NO_SYSTEM = frozenset({"openlineage", "name", "native", "mlflow", "wandb", "table-uuid"})
_PHYSICAL = frozenset({AssetKind.DATASET, AssetKind.FEATURE_TABLE, AssetKind.INDEX})
_OBJECTS = frozenset({"s3", "gs", "abs", "r2", "b2"})


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one dossier's things."""

    options: Options
    dossier: Dossier

    def type_of(self, record: Record) -> str:
        """The type of entity."""
        return TYPES.get(record.kind, "dataset")

    def known(self, native_id: str) -> Record | None:
        """The thing itself, a column of it, or what stands at the other end of an edge."""
        parts = (one for one in self.dossier.every() if one.native_id == native_id)
        return next(parts, None) or self.dossier.ends.get(native_id)

    def of(self, record: Record) -> str:
        """The URN."""
        match self.type_of(record):
            case "schemaField":
                return self._column(record)
            case "dataJob":
                return f"urn:li:dataJob:({self.flow(record)},{encoded(self._job(record)[1])})"
            case "dataProcessInstance" | "container" as type_:
                return f"urn:li:{type_}:{self.hashed(record.native_id)}"
            case "mlFeature":
                return f"urn:li:mlFeature:({encoded(self.dossier.source_id)},{encoded(record.native_id)})"
            case "mlFeatureTable":
                platform, name = self._placed(record)
                return f"urn:li:mlFeatureTable:(urn:li:dataPlatform:{platform},{encoded(name)})"
            case "dashboard":
                return f"urn:li:dashboard:({self.dossier.platform},{encoded(record.native_id)})"
            case type_:
                platform, name = self._placed(record)
                return f"urn:li:{type_}:(urn:li:dataPlatform:{platform},{encoded(name)},{self.options.env})"

    def flow(self, record: Record) -> str:
        """The flow that a job stands in: its namespace, else its source."""
        where = encoded(self._job(record)[0])
        return f"urn:li:dataFlow:({self.dossier.platform},{where},{self.options.env})"

    def hashed(self, *parts: str) -> str:
        """An id as DataHub makes them of names that are no ids: the same for the same thing, each time."""
        text = "\n".join((self.dossier.platform, self.dossier.source_id, *parts))
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def platform_of(self, record: Record) -> str:
        """On which platform it lies, in DataHub's words."""
        return self._placed(record)[0]

    def instance_of(self, record: Record) -> str | None:
        """The instance of that platform, if one is configured."""
        return self.options.platform_instance.get(self.platform_of(record))

    def _placed(self, record: Record) -> tuple[str, str]:
        platform, name = self._physical(record) or (self.dossier.platform, self._own(record))
        instance = self.options.platform_instance.get(platform)
        return platform, f"{instance}.{name}" if instance else name

    def _physical(self, record: Record) -> tuple[str, str] | None:
        """Where a table or a file lies, as far as one of its spellings tells."""
        if record.kind not in _PHYSICAL:
            return None
        found = [one for one in keys_of(record.spellings, record.kind, Registry.EMPTY) if one.parts[0] == "data"]
        found = [one for one in found if one.parts[1] not in _NO_SYSTEM and not one.is_alias]
        for one in sorted(found, key=lambda key: (not key.strong, key.is_folded)):
            _, system, authority, path = (part.replace("\\x7c", "|") for part in one.parts)
            name = path.removeprefix("=")
            return _CALLED.get(system, system), f"{authority}/{name}" if system in _OBJECTS else name
        return None

    def _own(self, record: Record) -> str:
        """As its own platform names it: a tracker's models as DataHub's connector of that tracker would."""
        for spelling in record.spellings:
            if spelling.form is Form.MLFLOW and len(spelling.parts) == 4 and record.kind in _MODELS:
                _, workspace, kind, name = spelling.parts
                named = "_".join(name.rsplit("/", 1)) if kind == "model-version" else name
                return named if workspace in ("", "default") else f"{workspace}/{named}"
        return record.native_id

    def _job(self, record: Record) -> tuple[str, str]:
        for spelling in record.spellings:
            if spelling.form is Form.OPENLINEAGE_JOB:
                return spelling.parts[0], spelling.parts[1]
        return self.dossier.source_id, record.native_id

    def _column(self, record: Record) -> str:
        whole = self.known(self.dossier.wholes.get(record.native_id, ""))
        where = self.of(whole) if whole is not None else self._lost(record)
        return f"urn:li:schemaField:({where},{encoded(record.name or record.native_id)})"

    def _lost(self, record: Record) -> str:
        """A column whose dataset nobody told stands in one of its own name."""
        name = f"{encoded(record.native_id)},{self.options.env}"
        return f"urn:li:dataset:(urn:li:dataPlatform:{self.dossier.platform},{name})"


_MODELS = frozenset({AssetKind.MODEL, AssetKind.MODEL_VERSION})
