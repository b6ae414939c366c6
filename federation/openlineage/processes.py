"""Runs and jobs as their facets describe them, and what hangs above, before and beside them."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from ..model import AssetKind, Edge, EdgeKind, Evidence, Form, Json, Record, Role, Run, Spelling
from ..naming import run_uuid
from .datasets import kept, normal
from .document import Pair, pair_of
from .foreign import object_of, objects_of, text_of
from .names import job_id, job_stub, run_id, run_stub, teller
from .sheet import Sheet


def job(pair: Pair, facets: Mapping[str, Json], producer: str, at: datetime | None) -> Record:
    """The record of a job."""
    return Record(
        native_id=job_id(pair),
        kind=AssetKind.JOB,
        name=pair[1],
        subtype=text_of(facets.get("jobType"), "jobType").lower() or None,
        description=text_of(facets.get("documentation"), "description") or None,
        url=text_of(facets.get("sourceCodeLocation"), "url") or None,
        spellings=(Spelling(Form.OPENLINEAGE_JOB, pair),),
        facets={**kept(facets), **normal(facets)},
        teller=teller(producer),
        stated_at=at,
    )


def run(told: str, of: Pair, life: Run, facets: Mapping[str, Json], producer: str, at: datetime | None) -> Record:
    """The record of a run; it bears the name of its job."""
    found = {**kept(facets), **normal(facets)}
    parameters = {
        text_of(one, "key"): text_of(one, "value")
        for one in objects_of(facets.get("executionParameters"), "parameters")
        if text_of(one, "key")
    }
    if parameters:
        found["parameters"] = parameters
    return Record(
        native_id=run_id(told),
        kind=AssetKind.RUN,
        name=of[1],
        run=life,
        spellings=(Spelling(Form.OPENLINEAGE_RUN, (run_uuid(told),)),),
        facets=found,
        teller=teller(producer),
        stated_at=at,
    )


def hierarchy(sheet: Sheet, told: str, of: Pair, facets: Mapping[str, Json], since: datetime | None) -> None:
    """The run belongs to its job and to its parent; what is above the parent belongs to the root."""
    mine = run_id(told)
    sheet.edge(Edge(mine, job_id(of), EdgeKind.RUN_OF, evidence=Evidence.OBSERVED, valid_from=since))
    parent = facets.get("parent")
    above = _above(sheet, parent)
    if above is None:
        return
    _belong(sheet, (mine, job_id(of)), above, since)
    root = _above(sheet, object_of(parent, "root"))
    if root is not None:
        _belong(sheet, above, root, since)


def order(sheet: Sheet, of: Pair, facets: Mapping[str, Json], since: datetime | None) -> None:
    """Which jobs run before and after: control flow, never data flow."""
    facet = facets.get("jobDependencies")
    for side, is_upstream in (("upstream", True), ("downstream", False)):
        for one in objects_of(facet, side):
            other = pair_of(object_of(one, "job"))
            if other is None or other == of:
                continue
            ends = (sheet.record(job_stub(other)), job_id(of))
            up, down = ends if is_upstream else ends[::-1]
            sheet.edge(Edge(up, down, EdgeKind.ORDER, evidence=Evidence.OBSERVED, valid_from=since))


def code(facets: Mapping[str, Json]) -> Record | None:
    """The revision that ran, where repository and revision are told."""
    facet = facets.get("sourceCodeLocation")
    repository, revision = text_of(facet, "repoUrl"), text_of(facet, "version")
    if not repository or not revision:
        return None
    return Record(
        native_id=f"code:{repository}@{revision}",
        kind=AssetKind.CODE,
        name=f"{repository.rstrip('/').rpartition('/')[2].removesuffix('.git') or repository}@{revision[:12]}",
        subtype=text_of(facet, "type").lower() or None,
        url=repository if repository.startswith("http") else None,
        spellings=(Spelling(Form.GIT, (repository, revision)),),
        facets={name: value for name in ("branch", "tag") if (value := text_of(facet, name))},
    )


def ran(
    record: Record, process: str, flows: Iterator[int], evidence: Evidence, since: datetime | None
) -> Iterator[Edge]:
    """Code went into everything that its process made."""
    for flow in flows:
        yield Edge(
            record.native_id, process, EdgeKind.READ, role=Role.CODE, flow=flow, evidence=evidence, valid_from=since
        )


def _above(sheet: Sheet, holder: Json) -> tuple[str, str | None] | None:
    """Run and job that a `parent` or its `root` names."""
    told, of = text_of(object_of(holder, "run"), "runId"), pair_of(object_of(holder, "job"))
    if not told:
        return None
    ids = run_id(told), job_id(of) if of else None
    if not sheet.knows(ids[0]):
        sheet.record(run_stub(told, of))
    if of is not None and ids[1] is not None:
        if not sheet.knows(ids[1]):
            sheet.record(job_stub(of))
        sheet.edge(Edge(ids[0], ids[1], EdgeKind.RUN_OF, evidence=Evidence.OBSERVED))
    return ids


def _belong(sheet: Sheet, part: tuple[str, str | None], whole: tuple[str, str | None], since: datetime | None) -> None:
    for one, other in zip(part, whole, strict=True):
        if one and other and one != other:
            sheet.edge(Edge(one, other, EdgeKind.PART_OF, evidence=Evidence.OBSERVED, valid_from=since))
