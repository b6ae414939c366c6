"""What all sayings about one record add up to; pure, whatever order they came in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..columns import NONE
from .codec import KINDS, edge_kind_at
from .statements import Claimed

_OTHER = len(KINDS) - 1
_COLUMNS = (
    "kind",
    "subtype",
    "name",
    "described",
    "suspect",
    "teller",
    "description",
    "url",
    "created_at",
    "updated_at",
)
_RUN = ("run_state", "run_started", "run_ended", "run_error")


@dataclass(frozen=True, slots=True)
class Said:
    """One saying: when, its hash (which breaks a tie), and the document of `codec.describe`."""

    at: int
    hash: bytes
    doc: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Merged:
    """The record as a row, its document of spellings and facets, and when it was last described."""

    row: dict[str, Any]
    body: dict[str, Any]
    described_at: int | None


def merged(sayings: Iterable[Said], native_id: str) -> Merged:
    """A later saying wins field by field and facet by facet; a stub says little against a description."""
    ordered = sorted(sayings, key=lambda said: (bool(said.doc["described"]), said.at, said.hash))
    row: dict[str, Any] = dict.fromkeys((*_COLUMNS, *_RUN))
    row |= {"kind": _OTHER, "name": native_id, "described": 0, "suspect": 1 if ordered else 0, "run_state": NONE}
    spellings: dict[str, Any] = {}
    facets: dict[str, Any] = {}
    for said in ordered:
        _put(row, said.doc)
        facets.update(said.doc["facets"])
        spellings.update({repr(spelling): spelling for spelling in said.doc["spellings"]})
    row["created_at"] = min((d.doc["created"] for d in ordered if d.doc["created"] is not None), default=None)
    row["updated_at"] = max((d.doc["updated"] for d in ordered if d.doc["updated"] is not None), default=None)
    described = [said.at for said in ordered if said.doc["described"]]
    body = {"spellings": [spellings[key] for key in sorted(spellings)], "facets": facets}
    return Merged(row, body, max(described, default=None))


def _put(row: dict[str, Any], doc: dict[str, Any]) -> None:
    if doc["kind"] != _OTHER:
        row["kind"] = doc["kind"]
    row["name"] = doc["name"] or row["name"]
    row["described"] = max(row["described"], int(doc["described"]))
    row["suspect"] = min(row["suspect"], int(doc["suspect"]))
    for name in ("subtype", "teller", "description", "url"):
        if doc[name] is not None:
            row[name] = doc[name]
    if doc["run"] is not None:
        row.update(zip(_RUN, doc["run"], strict=True))


def edge_view(edge: Claimed) -> dict[str, Any]:
    """An edge as the change log shows it."""
    shown: dict[str, Any] = {"kind": edge_kind_at(edge.kind).value}
    for name in ("valid_from", "valid_to", "alias", "weight", "transformation"):
        if getattr(edge, name) is not None:
            shown[name] = getattr(edge, name)
    return shown
