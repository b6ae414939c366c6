"""A way round: what one source holds is written by our writer, and read again by our reader."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from watersmeet.connectors.datahub.sandbox import Sandbox
from watersmeet.connectors.datahub.server import UNASKED
from watersmeet.connectors.datahub.write import open_writer
from watersmeet.federation.dossier import Dossier, Outcome, Written, facts, unaccounted

from ..handed import among, handed, naming

EVERYTHING: dict[str, Any] = {"ignore": []}
ADDED = {"datahub.dataPlatformInstance", "datahub.browsePathsV2"}
"""What a server adds to what nobody told of."""


def written(target: dict[str, Any], dossiers: list[Dossier], at_once: int = 7) -> list[Outcome]:
    """Hand all over in all rounds; every fact has exactly one outcome."""
    writer = open_writer({"name": "target", **target})
    outcomes, parts = list[Outcome](), list[Written]()
    try:
        for stage in writer.stages:
            for start in range(0, len(dossiers), at_once):
                parts.append(writer.write(stage, dossiers[start : start + at_once], among(dossiers)))
    finally:
        writer.close()
    outcomes += (one for part in parts for one in part.outcomes)
    assert list(unaccounted(dossiers, outcomes)) == []
    told = [(one.native_id, one.fact) for one in outcomes]
    assert naming(outcomes, dossiers) == []
    assert sorted(told) == sorted({fact for one in dossiers for fact in facts(one)})
    return outcomes


def graph(dossiers: Iterable[Dossier], *, is_served: bool = False) -> dict[Any, Any]:
    """All that is told, in a form that compares; `is_served`: without what no server is asked for, or adds."""
    found: dict[Any, Any] = {}
    left_out = {f"datahub.{name}" for name in UNASKED} - {f"datahub.{one}RunEvent" for one in _SERIES}
    for dossier in dossiers:
        for record in dossier.every():
            facets = {
                name: value for name, value in record.facets.items() if not is_served or name not in left_out | ADDED
            }
            told = (record.kind, record.name, record.subtype, record.described, record.description, record.url)
            times = (record.created_at, record.updated_at, record.run)
            found[record.native_id] = (*told, *times, sorted(map(repr, record.spellings)), facets)
        found |= {edge: True for edge in dossier.edges}
    return found


_SERIES = ("dataProcessInstance", "assertion")


def read_back(folder: Path, where: Path | str) -> list[Dossier]:
    """What is told of a file or a server afterwards."""
    folder.mkdir()
    return handed(folder, "datahub", where, options=EVERYTHING)


def versions(sandbox: Sandbox) -> dict[tuple[str, str], int]:
    """How often each aspect was written anew."""
    return {
        (urn, name): stored.version
        for urn, entity in sandbox.world.entities.items()
        for name, stored in entity.aspects.items()
    }
