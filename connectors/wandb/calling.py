"""What things of other platforms are called in Weights & Biases: within its rules, and always the same."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, cast

from ...federation.dossier import Dossier
from ...federation.model import AssetKind, EdgeKind, Form, Json, Record, Role, RunState

PROCESSES = (AssetKind.RUN, AssetKind.JOB)
VERSIONS = (AssetKind.DATASET_VERSION, AssetKind.MODEL_VERSION, AssetKind.PROMPT_VERSION, AssetKind.ARTIFACT)
TYPES: Mapping[AssetKind, str] = {
    AssetKind.DATASET: "dataset",
    AssetKind.DATASET_VERSION: "dataset",
    AssetKind.MODEL: "model",
    AssetKind.MODEL_VERSION: "model",
    AssetKind.PROMPT: "prompt",
    AssetKind.PROMPT_VERSION: "prompt",
    AssetKind.ARTIFACT: "artifact",
    AssetKind.FEATURE_TABLE: "dataset",
    AssetKind.INDEX: "index",
}
"""The kinds that are artifacts there, with the type of each."""
STATES: Mapping[RunState, str] = {
    RunState.QUEUED: "pending",
    RunState.RUNNING: "running",
    RunState.SUCCEEDED: "finished",
    RunState.FAILED: "failed",
    RunState.ABORTED: "killed",
    RunState.UNKNOWN: "finished",
}
USED_AS: Mapping[Role, str] = {role: role.value.lower() for role in Role}
_LONGEST = 128
_FOREIGN = re.compile(r"[^A-Za-z0-9_.-]+")
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBERED = re.compile(r"(:v\d+|@[0-9a-f]{6,}|/\d+)$")


def own(record: Record) -> Mapping[str, Any]:
    """What Weights & Biases itself told of a thing; nothing of another platform's."""
    found: Json = record.facets.get("wandb")
    return cast(Mapping[str, Any], found) if isinstance(found, Mapping) else {}


def slug(name: str, longest: int = _LONGEST) -> str:
    """A name with the letters that names there may have."""
    made = _FOREIGN.sub("-", name).strip("-.")
    return made[:longest] if made else f"x-{short(name)}"


def short(*parts: str) -> str:
    """A few letters that stand for a text."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def run_name(record: Record, source_id: str) -> str:
    """The id of a run in its project: the one that it had, if it can be one there."""
    paths = [one.parts[2] for one in record.spellings if one.form is Form.WANDB and one.parts[2].count("/") == 2]
    last = (paths[0] if paths else record.native_id).rpartition("/")[2]
    is_one = record.kind is AssetKind.RUN and _RUN_ID.fullmatch(last)
    return last if is_one else other_name(record, source_id)


def other_name(record: Record, source_id: str) -> str:
    """An id of a run that nobody else has."""
    return f"ws-{short(source_id, record.native_id)}"


def run_project(dossier: Dossier, default: str) -> str:
    """The project of a run: where it was, else what it is a part of."""
    if (told := own(dossier.record).get("project")) and "/" not in str(told):
        return str(told)
    wholes = (dossier.ends.get(one.downstream) for one in dossier.edges if one.kind is EdgeKind.PART_OF)
    names = [one.name for one in wholes if one is not None and one.kind is AssetKind.EXPERIMENT and one.name]
    return slug(names[0]) if names else default


def asset_project(record: Record) -> str | None:
    """The project that kept an artifact; None if it comes from elsewhere."""
    return str(own(record).get("project", "")).rpartition("/")[2] or None


def home_of(record: Record, dossier: Dossier | None) -> Record | None:
    """The thing that a version is a version of; None if that is not told."""
    wholes = _wholes(record, dossier)
    return next((one for one in wholes if not is_registered(one)), wholes[0] if wholes else None)


def wholes_of(record: Record, dossier: Dossier | None) -> list[str]:
    """The native ids of all that it is a version of."""
    return sorted(one.native_id for one in _wholes(record, dossier))


def _wholes(record: Record, dossier: Dossier | None) -> list[Record]:
    if dossier is None:
        return []
    return [
        end
        for one in dossier.edges
        if one.kind is EdgeKind.VERSION_OF
        and one.upstream == record.native_id
        and (end := dossier.ends.get(one.downstream)) is not None
        and end.kind in TYPES
    ]


def is_registered(record: Record) -> bool:
    """Whether it is a registry's name for versions that live elsewhere."""
    return record.subtype == "registered" and bool(own(record))


def is_collection(record: Record) -> bool:
    """Whether it was a collection there too: it comes back with its versions."""
    return bool(own(record).get("type")) and record.kind in (AssetKind.DATASET, AssetKind.MODEL)


def is_reference(record: Record, platform: str) -> bool:
    """Whether it is a file that versions refer to, and nothing of its own."""
    return platform == "wandb" and record.native_id.startswith("file/")


def type_of(record: Record) -> str:
    """The type of an artifact."""
    return str(own(record).get("type") or TYPES[record.kind])


def collection_name(record: Record, home: Record | None) -> str:
    """The name of the collection that a version stands in."""
    return slug(_NUMBERED.sub("", (home or record).name or (home or record).native_id))


def place_of(record: Record) -> str | None:
    """The address where its data lies; None if none is told."""
    return next((one.parts[0] for one in record.spellings if one.form is Form.URI and not one.weak), None)
