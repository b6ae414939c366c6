"""The columns of a dataset of another platform, as fields of its schema."""

from dataclasses import dataclass

import orjson

from ...federation.dossier import facts
from ...federation.model import AssetKind, Json, Record
from .urn import encoded
from .wire import field, objects
from .write_draft import Draft, Value
from .write_merge import item
from .write_names import Names
from .write_things import NOBODY, millis

_SCHEMA = "schemaMetadata"
_SIGNS = (
    ("BooleanType", ("bool",)),
    ("ArrayType", ("array", "list", "[]", "repeated")),
    ("MapType", ("map",)),
    ("RecordType", ("struct", "record", "object", "row(", "json")),
    ("TimeType", ("timestamp", "datetime", "time")),
    ("DateType", ("date",)),
    ("BytesType", ("byte", "binary", "blob")),
    ("NumberType", ("int", "long", "double", "float", "decimal", "numeric", "number", "real")),
)
_JSON = "stands as JSON beside the field"


def columns(draft: Draft, names: Names) -> None:
    """All columns of one thing."""
    dossier = names.dossier
    if not dossier.parts:
        return
    if names.type_of(dossier.record) != "dataset":
        _refuse(draft, names)
        return
    urn = names.of(dossier.record)
    told = draft.aspect(urn, _SCHEMA, fills=dossier.record.kind is AssetKind.DATASET)
    platform = f"urn:li:dataPlatform:{names.platform_of(dossier.record)}"
    told |= {"schemaName": dossier.record.name or dossier.record.native_id, "platform": platform, "version": 0}
    told |= {"hash": "", "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}}, "fields": []}
    for one in sorted(dossier.parts, key=lambda column: _order(column, dossier.record)):
        _column(draft, urn, told, one)


def _column(draft: Draft, urn: str, schema: Value, column: Record) -> None:
    type_ = column.subtype or column.facets.get("type")
    native = type_ if isinstance(type_, str) else ""
    row: Value = {
        "fieldPath": encoded(column.name or column.native_id),
        "nullable": True,
        "type": {"type": {f"com.linkedin.schema.{_class_of(native)}": {}}},
        "nativeDataType": native,
    }
    schema["fields"].append(row)
    own = _Own(draft, urn, column, row)
    own.carry("name", "fieldPath")
    further: dict[str, Json] = {}
    if column.subtype is not None:
        own.carry("subtype", "nativeDataType")
    if column.description is not None:
        row["description"] = column.description
        own.carry("description", "description")
    for name, where, at in (
        ("created_at", "created", column.created_at),
        ("updated_at", "lastModified", column.updated_at),
    ):
        if at is not None:
            row[where] = {"time": millis(at), "actor": NOBODY}
            own.carry(name, where)
    if column.url is not None:
        further["url"] = column.url
        own.carry("url", "jsonProps", _JSON)
    if column.run is not None:
        draft.refuse((column.native_id, "run"), "a column of DataHub does not run")
    for name, value in column.facets.items():
        if name == "type" and native and value == native:
            own.carry("facets/type", "nativeDataType")
        else:
            further[name] = value
            own.carry(f"facets/{name}", "jsonProps", _JSON)
    if further:
        row["jsonProps"] = orjson.dumps(further, option=orjson.OPT_SORT_KEYS).decode()


@dataclass(frozen=True, slots=True)
class _Own:
    """The facts of one column, each held by a part of its row."""

    draft: Draft
    urn: str
    column: Record
    row: Value

    def carry(self, fact: str, part: str, reason: str = "") -> None:
        """A fact that stands in that part."""
        where = item("fields", self.row, part)
        self.draft.carry((self.column.native_id, fact), self.urn, _SCHEMA, reason, where)


def _refuse(draft: Draft, names: Names) -> None:
    own = {one.native_id for one in names.dossier.parts}
    for fact in facts(names.dossier):
        if fact[0] in own and not fact[1].startswith("edges/"):
            draft.refuse(fact, f"a {names.type_of(names.dossier.record)} of DataHub has no columns")


def _order(column: Record, dataset: Record) -> tuple[float, str]:
    """As the platform lists them, where that is told."""
    ordinal = column.facets.get("ordinal")
    if isinstance(ordinal, int | float):
        return float(ordinal), column.native_id
    names = [field(one, "name") for one in objects(dataset.facets, "schema")]
    return float(names.index(column.name) if column.name in names else len(names)), column.native_id


def _class_of(native: str) -> str:
    """DataHub's class for a platform's word; `NullType` where nothing is told."""
    word = native.lower()
    if not word:
        return "NullType"
    return next((name for name, signs in _SIGNS if any(sign in word for sign in signs)), "StringType")
