"""What was read from a DataHub, as it goes into one again: aspect by aspect, as they were.

Whether a fact is carried is not assumed but looked up: what is proposed is read by our own reader, and what that tells
is what will be told of the target.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from ...federation.dossier import Dossier, Verdict, edge_fact, facts
from ...federation.model import Edge, EdgeKind, Json, Record, Run
from .mapping import RUN_EVENTS
from .registry import KNOWN
from .urn import BadUrn, Urn, urn
from .wire import field, members, moment
from .write_plan import CUT, Fact, Fate, Key, Plan, Proposal, is_cut
from .write_said import Carried, Said, carried_by, said_of, values_of

_PREFIX = "datahub."
_COLUMNS = frozenset({"datahub.field", "datahub.variants", "datahub.editableField", "datahub.fineGrainedLineages"})
_LISTS = {"schemaMetadata": "fields", "editableSchemaMetadata": "editableSchemaFieldInfo"}
_UNSTAMPED = {"time": 0, "actor": "urn:li:corpuser:unknown"}
"""Stamps of who told it last are not kept when it is read, and some aspects are refused without."""
_PAIRS = {"dataset": "upstreamLineage", "dataJob": "dataJobInputOutput"}


def things(dossier: Dossier) -> Plan:
    """The aspects of the thing itself and of its columns."""
    plan = Plan(dossier)
    plan.proposals, carried = _own(dossier)
    _decide(plan, carried)
    return plan


def beyond(dossier: Dossier) -> Plan:
    """What the thing tells of others: columns that were derived in a job are told by the job."""
    plan = Plan(dossier)
    through: dict[str, list[Edge]] = {}
    for edge in dossier.edges:
        if edge.kind is EdgeKind.DERIVE and edge.via is not None and _is_job(edge.via):
            through.setdefault(edge.via, []).append(edge)
    for job, edges in through.items():
        told = dict.fromkeys(edge for edge in edges if not _is_told_by(edge, dossier))
        entries = _entries(told, dossier)
        if entries:
            value = {"inputDatasets": [], "outputDatasets": [], "fineGrainedLineages": entries}
            plan.proposals.append(Proposal(job, "dataJobInputOutput", value, fills=True))
        for edge in edges:
            fact, key = (edge.downstream, edge_fact(edge)), (job, "dataJobInputOutput")
            if edge in told:
                plan.decide(fact, Verdict.MIGRATED, keys=(key,))
            else:
                plan.asked[fact] = key, b""
    if dossier.ends:
        _ask(plan)
    return plan


def look_up(plan: Plan, held: Mapping[Key, Json], fates: Mapping[Key, Fate]) -> None:
    """Decide what was asked for by what the target holds of the aspects that others wrote."""
    read: dict[Key, Carried] = {}
    cut = _cut(plan.dossier)
    for fact, (key, value) in plan.asked.items():
        if key not in read:
            whole = members(held.get(key))
            read[key] = {} if whole is None else carried_by(urn(key[0]), {key[1]: [whole]}, plan.dossier)
        if not key[1] or (fact, value) in read[key]:
            verdict, reason = (Verdict.TRANSFORMED, CUT) if fact in cut else (Verdict.MIGRATED, "")
        elif any(fact == one for one, _ in read[key]):
            verdict, reason = Verdict.TRANSFORMED, f"stands in another's {key[1]}, among what else is told there"
        else:
            why = fates[key].reason if key in fates else "look there for the reason, then migrate again"
            verdict, reason = Verdict.FAILED, f"the {key[1]} that tells it does not hold it there: {why}"
        plan.decide(fact, verdict, reason, target=key[0])


def _own(dossier: Dossier) -> tuple[list[Proposal], Carried]:
    """What is proposed of a thing itself, and what that tells when it is read."""
    proposals, carried = list[Proposal](), Carried()
    for record in dossier.every():
        one = _urn(record)
        if one is None:
            continue
        one = urn(_spelled(record.native_id, dossier))
        rebuilt = _aspects(record)
        if record is dossier.record:
            _add_columns(rebuilt, dossier)
            _add_pairs(rebuilt, one, dossier)
        for aspect, values in rebuilt.items():
            proposals += [Proposal(one.text, aspect, value) for value in values]
        # A column's URN names it and its dataset too, but it is the schema that holds the column.
        carried = {**carried_by(one, rebuilt, dossier), **carried}
        if not rebuilt and record.described and record is dossier.record:
            proposals += _key(one)
    return proposals, carried


def _ask(plan: Plan) -> None:
    """What only the things around it say of it is told in calls of their own."""
    _, carried = _own(plan.dossier)
    others: Carried | None = None
    through = _through_jobs(plan.dossier)
    for said in _facts_of(plan.dossier):
        if said in carried or said[0] in through:
            continue
        others = _carried_by_ends(plan.dossier) if others is None else others
        if said in others:
            plan.asked[said[0]] = others[said], said[1]


# What the aspects were


def _aspects(record: Record) -> dict[str, list[dict[str, Any]]]:
    """By name what was read; several events of a series."""
    found = dict[str, list[dict[str, Any]]]()
    for name, value in record.facets.items():
        if name.startswith(_PREFIX) and name not in _COLUMNS and isinstance(value, Mapping):
            restored = cast(dict[str, Any], _stamped(name.removeprefix(_PREFIX), cast(Json, value)))
            found[name.removeprefix(_PREFIX)] = [restored]
    if RUN_EVENTS in found and record.run is not None:
        found[RUN_EVENTS] = [*_start(record.run, found[RUN_EVENTS][0]), *found[RUN_EVENTS]]
    return found


def _stamped(name: str, value: Json) -> Json:
    if isinstance(value, Mapping):
        members = cast(Mapping[str, Any], value)
        inner = {key: _stamped(key, one) for key, one in members.items()}
        return {**inner, "auditStamp": _UNSTAMPED} if name == "glossaryTerms" and "terms" in inner else inner
    return [_stamped("", one) for one in cast(list[Any], value)] if isinstance(value, list) else value


def _start(run: Run, last: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Of several events only the newest is kept; when it began is known besides."""
    if run.started_at is not None and not (
        last.get("status") == "STARTED" and moment(last.get("timestampMillis")) == run.started_at
    ):
        attempt = {"attempt": last["attempt"]} if "attempt" in last else {}
        yield {"timestampMillis": round(run.started_at.timestamp() * 1000), "status": "STARTED", **attempt}


def _add_columns(rebuilt: dict[str, list[dict[str, Any]]], dossier: Dossier) -> None:
    """Columns stand for themselves in the store, and in lists of their dataset in DataHub."""
    for aspect, name in _LISTS.items():
        if aspect in rebuilt:
            rows = _fields(dossier) if name == "fields" else _edited(dossier)
            rebuilt[aspect] = [{**rebuilt[aspect][0], name: [_stamped("", one) for one in rows]}]


def _fields(dossier: Dossier) -> Iterator[Json]:
    order: dict[str, list[int]] = {}
    for place, one in enumerate(cast(list[Any], dossier.record.facets.get("schema") or [])):
        order.setdefault(str(field(one, "name")), []).append(place)
    columns = [one for one in dossier.parts if "datahub.field" in one.facets]
    places = {one.native_id: order[one.name].pop(0) for one in columns if order.get(one.name)}
    for column in sorted(columns, key=lambda one: places.get(one.native_id, len(columns))):
        yield column.facets["datahub.field"]
        yield from cast(list[Json], column.facets.get("datahub.variants") or [])


def _edited(dossier: Dossier) -> Iterator[Json]:
    for column in dossier.parts:
        if "datahub.editableField" in column.facets:
            yield column.facets["datahub.editableField"]


def _add_pairs(rebuilt: dict[str, list[dict[str, Any]]], one: Urn, dossier: Dossier) -> None:
    """Entries of `fineGrainedLineages`: those that were kept whole, and what edges tell besides."""
    further = cast(list[Json], dossier.record.facets.get("datahub.fineGrainedLineages") or [])
    aspect = _PAIRS.get(one.type, "upstreamLineage")
    if further:
        rebuilt[aspect] = [{**rebuilt.get(aspect, [{}])[0], "fineGrainedLineages": list(further)}]
    known = {(fact, value) for fact, value in carried_by(one, rebuilt, dossier)}
    told = [
        edge
        for edge in dossier.edges
        if edge.kind is EdgeKind.DERIVE and edge.via is None and _is_column(edge) and said_of(edge) not in known
    ]
    entries = _entries(told, dossier)
    if entries:
        before = rebuilt.get(aspect, [{}])[0]
        listed = [*cast(list[Json], before.get("fineGrainedLineages") or []), *entries]
        rebuilt[aspect] = [{"upstreams": [], **before, "fineGrainedLineages": listed}]


def _entries(edges: Iterable[Edge], dossier: Dossier) -> list[Json]:
    """One entry for all upstreams that became one thing in one way."""
    found: dict[tuple[str, str | None, float], list[str]] = {}
    for edge in dict.fromkeys(edges):
        ups = found.setdefault((edge.downstream, edge.transformation, edge.confidence), [])
        if edge.upstream not in ups:
            ups.append(edge.upstream)
    return [_entry(ups, *how, dossier) for how, ups in found.items()]


def _entry(ups: list[str], down: str, operation: str | None, confidence: float, dossier: Dossier) -> Json:
    is_field = any(":schemaField:" in one for one in ups)
    value: dict[str, Json] = {
        "upstreamType": "FIELD_SET" if is_field else "DATASET",
        "upstreams": [_spelled(one, dossier) for one in ups],
        "downstreamType": "FIELD",
        "downstreams": [_spelled(down, dossier)],
    }
    value |= {"transformOperation": operation} if operation is not None else {}
    return value | ({"confidenceScore": confidence} if confidence != 1.0 else {})


def _spelled(native_id: str, dossier: Dossier) -> str:
    """A column as DataHub wrote it: with the types in its path, where it was written with them alone."""
    record = next((one for one in dossier.parts if one.native_id == native_id), dossier.ends.get(native_id))
    written = [one.parts[0] for one in record.spellings if one.form == "urn"] if record is not None else []
    return written[0] if written and native_id not in written else native_id


def _key(one: Urn) -> Iterator[Proposal]:
    known = KNOWN.get(one.type)
    if known is not None and len(known.parts) == len(one.parts):
        yield Proposal(one.text, known.key, dict(zip(known.parts, one.parts, strict=True)))


# What becomes of each fact


def _decide(plan: Plan, carried: Carried) -> None:
    dossier, cut = plan.dossier, _cut(plan.dossier)
    through, items = _through_jobs(dossier), _items(dossier)
    others: Carried | None = None
    for said in _facts_of(dossier):
        fact = said[0]
        if fact in through:
            continue  # decided beyond
        if said in carried:
            verdict, reason = (Verdict.TRANSFORMED, CUT) if fact in cut else (Verdict.MIGRATED, "")
            plan.decide(fact, verdict, reason, (carried[said],), items.get(fact, ""))
            continue
        others = _carried_by_ends(dossier) if others is None else others
        if said not in others:
            plan.decide(fact, Verdict.UNSUPPORTED, "no aspect that was read tells it in this form")


def _facts_of(dossier: Dossier) -> Iterator[Said]:
    """All facts, with the values of those that have some."""
    values = {(record.native_id, name): value for record in dossier.every() for name, value in values_of(record)}
    yield from ((fact, values.get(fact, b"")) for fact in facts(dossier))


def _cut(dossier: Dossier) -> set[Fact]:
    return {
        (record.native_id, f"facets/{name}")
        for record in dossier.every()
        for name, value in record.facets.items()
        if is_cut(value)
    }


def _through_jobs(dossier: Dossier) -> set[Fact]:
    """What came of what in a job: the job tells it."""
    edges = (edge for edge in dossier.edges if edge.via is not None and edge.kind is EdgeKind.DERIVE)
    return {said_of(edge)[0] for edge in edges if _is_job(edge.via or "")}


def _items(dossier: Dossier) -> dict[Fact, str]:
    """The other end of each edge: by it DataHub tells apart what a person drew."""
    told = ((said_of(edge)[0], edge) for edge in dossier.edges)
    return {fact: edge.upstream if edge.downstream == fact[0] else edge.downstream for fact, edge in told}


def _carried_by_ends(dossier: Dossier) -> Carried:
    """What the things around it say of it: a model names its deployments, a table of features its features."""
    found: Carried = {}
    for record in dossier.ends.values():
        one = _urn(record)
        if one is not None:
            found |= carried_by(one, _aspects(record), dossier)
            found |= _carried_pairs(one, record, dossier)
    return found


def _carried_pairs(one: Urn, record: Record, dossier: Dossier) -> Carried:
    further = record.facets.get("datahub.fineGrainedLineages")
    if not further:
        return {}
    return carried_by(one, {_PAIRS.get(one.type, "upstreamLineage"): [{"fineGrainedLineages": further}]}, dossier)


def _is_told_by(edge: Edge, dossier: Dossier) -> bool:
    """Whether the job itself holds it in an entry that was kept whole."""
    job = dossier.ends.get(edge.via or "")
    one = _urn(job) if job is not None else None
    return one is not None and job is not None and said_of(edge) in _carried_pairs(one, job, dossier)


def _is_job(native_id: str) -> bool:
    return native_id.startswith("urn:li:dataJob:")


def _is_column(edge: Edge) -> bool:
    return any(":schemaField:" in one for one in (edge.upstream, edge.downstream))


def _urn(record: Record) -> Urn | None:
    try:
        return urn(record.native_id)
    except BadUrn:
        return None  # a thing that we made of an aspect, which carries it
