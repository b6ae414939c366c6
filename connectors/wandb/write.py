"""Writes what another source tells into Weights & Biases: runs first, then what they wrote, then what they used."""

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

import httpx2

from ...config.settings import Source
from ...federation.connector import Health
from ...federation.dossier import Dossier, Look, Outcome, Written, edge_fact
from ...federation.model import AssetKind, Edge, EdgeKind, Record
from ..http import Denied
from .api import Api, Unwritten
from .calling import PROCESSES, TYPES, USED_AS, VERSIONS, is_collection, is_reference, own, slug
from .documents import VIEWER
from .linking import Linking
from .mutations import TARGET, USE_ARTIFACT
from .options import Options
from .target import Known, Target
from .verdicts import RUNS, USES, WHOLES, Said
from .verdicts import VERSIONS as MAKING
from .wire import field, text


class WandbWriter:
    """One entity of one instance, as a target: the first of the source's `workspaces`, else the key's own."""

    platform: ClassVar[str] = "wandb"
    stages: ClassVar[tuple[str, ...]] = (RUNS, MAKING, USES, WHOLES)
    at_once: ClassVar[int] = 50

    def __init__(
        self,
        source: Source,
        *,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._options = Options.of(source.options, source.name)
        self._api = Api(source, transport=transport, sleep=sleep)
        self._entity = source.workspaces[0] if source.workspaces else None
        self._targets: dict[str, Target] = {}

    def check(self) -> Health:
        """Reach the instance; tell its version, and whether the key may write."""
        told = self._api.ask(VIEWER).data
        found = self._api.ask(TARGET, {"entity": self._entity}).data
        version = text(told, "serverInfo", "latestLocalVersionInfo", "versionOnThisInstanceString") or None
        if field(found, "viewer") is None:
            return Health(False, version, "the key is not known there", ("a valid API key",))
        if field(found, "entity") is None:
            return Health(False, version, f"no entity {self._entity} for this key", ("an entity to write to",))
        name = text(found, "entity", "name")
        grants = (f"write to {name}",) if field(found, "entity", "readOnly") is True else ()
        return Health(True, version, f"writes to {name}", grants)

    def write(self, stage: str, dossiers: Sequence[Dossier], look: Look) -> Written:
        """Put them there, as far as this round goes; see `federation.connector.Writer`."""
        before = self._api.requests
        known = Known(dossiers, look)
        outcomes: list[Outcome] = []
        for dossier in dossiers:
            said, failure, target = Said(dossier), "", self._target(dossier.source_id)
            try:
                self._written(stage, target, dossier, known, said)
            except (Unwritten, Denied) as error:
                # What was said of it so far is not so: it was said before it was sent.
                said, failure = Said(dossier), f"Weights & Biases refused it: {error}"
            outcomes += said.outcomes(stage, failure)
        return Written(tuple(outcomes), self._api.requests - before)

    def close(self) -> None:
        """Give back connections."""
        self._api.close()

    def _target(self, source_id: str) -> Target:
        if source_id not in self._targets:
            self._targets[source_id] = Target(self._api, self._entity, self._options, source_id)
        return self._targets[source_id]

    def _written(self, stage: str, target: Target, dossier: Dossier, known: Known, said: Said) -> None:
        kind = dossier.record.kind
        match stage:
            case "runs":
                self._begun(target, dossier, said)
            case "versions" if kind in VERSIONS or (kind in TYPES and _is_made(target, dossier)):
                target.version(dossier.record, known)
            case "uses" if kind in PROCESSES:
                _Uses(target, self._api, dossier, known, said).all()
            case "uses" if kind in VERSIONS:
                Linking(target, self._api, dossier, known, said).all()
            case "wholes" if kind in TYPES and kind not in VERSIONS:
                Linking(target, self._api, dossier, known, said).all()
            case "uses" if kind not in TYPES:
                Linking(target, self._api, dossier, known, said).place()
            case _:
                pass

    def _begun(self, target: Target, dossier: Dossier, said: Said) -> None:
        record = dossier.record
        if record.kind is AssetKind.RUN or (record.kind is AssetKind.JOB and _has_lineage(dossier)):
            target.run(dossier, said)
        elif record.kind is AssetKind.JOB:
            _say_job(record, said)
        elif record.kind is AssetKind.CODE:
            _say_code(record, said)
        elif record.kind is AssetKind.EXPERIMENT:
            _make_project(target, record, said)


def _has_lineage(dossier: Dossier) -> bool:
    return any(one.kind in (EdgeKind.READ, EdgeKind.WRITE) for one in dossier.edges)


def _is_made(target: Target, dossier: Dossier) -> bool:
    """Whether a thing without versions becomes one now, since something wrote it or it was derived."""
    record = dossier.record
    if is_collection(record) or is_reference(record, dossier.platform):
        return False
    derived = any(one.kind is EdgeKind.DERIVE and one.downstream == record.native_id for one in dossier.edges)
    return derived or record.native_id in target.ledger.writers


def _say_job(record: Record, said: Said) -> None:
    is_own = "program" in own(record)
    reason = "Weights & Biases has no jobs apart from runs: its runs bear its name as their job type"
    for fact in ("name", "subtype", *(f"facets/{name}" for name in record.facets)):
        if is_own:
            said.held(fact)
        else:
            said.lost(fact, reason)


def _say_code(record: Record, said: Said) -> None:
    for fact in ("name", "subtype"):
        said.changed(fact, "held as commit and repository of the runs that read it")
    for name in ("repository", "commit"):
        said.held(f"facets/{name}")


def _make_project(target: Target, record: Record, said: Said) -> None:
    if record.subtype == "sweep":
        for fact in ("name", "subtype", "description", *(f"facets/{name}" for name in record.facets)):
            said.lost(fact, "a sweep there is made only by searching; its runs say that they were part of it")
        return
    name = slug(record.name or record.native_id)
    target.project(name, description=record.description)
    where = f"{target.entity}/{name}"
    said.exactly("name", name == record.name, "is called otherwise there", where)
    said.held("description", where)
    former = own(record).get("entity")
    if former is not None:
        said.exactly("facets/wandb", former == target.entity, f"stands in the entity {target.entity}", where)


class _Uses:
    """What one process read and wrote, being said."""

    def __init__(self, target: Target, api: Api, dossier: Dossier, known: Known, said: Said) -> None:
        self._target = target
        self._api = api
        self._dossier = dossier
        self._known = known
        self._said = said

    def all(self) -> None:
        """Each edge for itself: one that is refused keeps no other back."""
        run = self._target.ledger.runs.get(self._dossier.record.native_id)
        for edge in self._dossier.edges:
            other = edge.upstream if edge.kind is EdgeKind.READ else edge.downstream
            end, fact = self._dossier.ends.get(other), edge_fact(edge)
            if edge.kind not in (EdgeKind.READ, EdgeKind.WRITE) or end is None:
                continue
            if run is None:
                self._said.refused(fact, "Weights & Biases refused the run itself")
                continue
            try:
                if edge.planned:
                    self._said.lost(fact, "a plan of a run that failed: there, only what was written is an output")
                elif end.kind not in TYPES:
                    self._said.lost(fact, f"runs there read and write artifacts; a {end.kind.value.lower()} is none")
                elif edge.kind is EdgeKind.READ:
                    self._read(edge, end, fact)
                else:
                    self._wrote(end, fact)
            except Unwritten as error:
                self._said.refused(fact, f"Weights & Biases refused it: {error}")

    def _read(self, edge: Edge, end: Record, fact: str) -> None:
        held = self._target.version(end, self._known)
        run = self._target.ledger.runs[self._dossier.record.native_id]
        told = {"entityName": self._target.entity, "projectName": run.project, "runName": run.name}
        told["artifactID"] = held.id
        if held.project != run.project:
            told |= {"artifactEntityName": self._target.entity, "artifactProjectName": held.project}
        for word in self._roles(edge, end) or [None]:
            self._api.change(USE_ARTIFACT, {"input": told | ({"usedAs": word} if word else {})})
        self._say(end, held.name, fact)

    def _roles(self, edge: Edge, end: Record) -> list[str]:
        """The words that the run itself used, else ours."""
        former = field(own(self._dossier.record), "used_as", end.native_id.removeprefix("version/"))
        words = [str(one) for one in former] if isinstance(former, list) else []  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # foreign JSON
        return words or ([USED_AS[edge.role]] if edge.role is not None else [])

    def _wrote(self, end: Record, fact: str) -> None:
        run = self._target.ledger.runs[self._dossier.record.native_id]
        held = self._target.version(end, self._known)
        if held.id in self._target.ledger.outputs.get(run, ()):
            self._say(end, held.name, fact)
        elif run.project != held.project:
            self._said.lost(fact, "what it wrote stands in another project: only runs of that can log it")
        else:
            self._said.lost(fact, "something newer than what it wrote stands there: it cannot be logged once more")

    def _say(self, end: Record, name: str, fact: str) -> None:
        reason = "no version was told: held of one that stands for all of it"
        self._said.exactly(fact, end.kind in VERSIONS, reason, name)
