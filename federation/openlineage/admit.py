"""Whether a body is an OpenLineage event, of what it speaks, and what of it may be kept."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..naming import openlineage_canonical, run_uuid
from .decode import decode, encode
from .facets import Slot, faults
from .foreign import is_list, is_object
from .moments import believed, moment
from .place import ROOT, Place, written
from .redact import Cut, clean, redact
from .refused import Refused

NOTE = "_watersmeet"
"""The member under which a kept event says what was wrong with it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken."""

    depth: int = 200
    """Levels of nesting."""
    strict: bool = False
    """Refuse an event for a facet that is not as its schema says, instead of keeping the facet aside."""


@dataclass(frozen=True, slots=True)
class Warned:
    """Something in an event that is not as it should be, though the event was taken."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Admitted:
    """An event fit to be kept."""

    hash: bytes
    """Keyed, of what arrived: a retry is recognised, and a secret cannot be guessed from it."""
    entity: str
    """`run/<uuid>`, `job/<namespace>/<name>` or `dataset/<namespace>/<name>`."""
    event_time: datetime | None
    """None: not told, or not to be believed."""
    body: bytes
    """The event as JSON without its secrets."""
    cuts: tuple[Cut, ...] = ()
    warnings: tuple[Warned, ...] = ()


DEFAULT = Limits()


def admit(body: bytes, *, key: bytes, limits: Limits = DEFAULT, now: datetime | None = None) -> Admitted:
    """Judge one event. Raises `Refused` for what can never be right."""
    arrived = decode(body)
    if not is_object(arrived):
        raise Refused("an event is a JSON object", "$", 400)
    event, cuts = redact(arrived, depth=limits.depth)
    entity = _entity(event)
    warnings, quarantined = _judged_facets(event, limits)
    told, late = _time(event, now or datetime.now(UTC))
    _note(event, quarantined, untold=bool(late))
    return Admitted(_hash(arrived, key), entity, told, encode(event), cuts, (*late, *warnings))


def _hash(arrived: Any, key: bytes) -> bytes:
    try:
        canonical = encode(arrived)
    except (TypeError, UnicodeEncodeError):
        canonical = encode(_cleaned(arrived))  # halves of characters have no bytes
    return hashlib.blake2b(canonical, key=hashlib.blake2b(key, digest_size=64).digest(), digest_size=32).digest()


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if is_object(value):
        return {clean(name): _cleaned(item) for name, item in value.items()}
    if is_list(value):
        return [_cleaned(item) for item in value]
    return value


# Of what it speaks


def _entity(event: Mapping[str, Any]) -> str:
    """By its shape first; only what has none is judged by the schema it claims."""
    for name in ("inputs", "outputs"):
        _check_datasets(event, name)
    if event.get("run") is not None:
        return _run(event)
    if event.get("dataset") is not None:
        namespace, name = _named(event["dataset"], (ROOT, "dataset"), "dataset")
        return "/".join(("dataset", *openlineage_canonical(namespace, name)))
    if event.get("job") is None:
        raise Refused(_formless(event), "$")
    if event.get("eventType") is not None and _claimed(event) != "JobEvent":
        raise Refused("an event of a run has an eventType, and this one names no run", "$.run")
    return "/".join(("job", *_named(event["job"], (ROOT, "job"), "job")))


def _formless(event: Mapping[str, Any]) -> str:
    claimed = _claimed(event)
    missing = {"RunEvent": "run and job", "JobEvent": "job", "DatasetEvent": "dataset"}.get(claimed)
    return f"a {claimed} without {missing}" if missing else "it names no run, no job and no dataset"


def _claimed(event: Mapping[str, Any]) -> str:
    """Which type an event says it is: `#/$defs/RunEvent`, formerly `#/definitions/RunEvent`."""
    return str(event.get("schemaURL") or "").rpartition("/")[2]


def _run(event: Mapping[str, Any]) -> str:
    run = event["run"]
    if not is_object(run):
        raise Refused("a run is an object", "$.run")
    run_id: Any = run.get("runId")
    if not isinstance(run_id, str) or not run_id.strip():
        raise Refused("a run needs a runId", "$.run.runId")
    if event.get("job") is None:
        raise Refused("a run needs a job", "$.job")
    _named(event["job"], (ROOT, "job"), "job")
    return f"run/{run_uuid(run_id)}"


def _check_datasets(event: Mapping[str, Any], side: str) -> None:
    told: Any = event.get(side)
    if told is None:
        return
    if not is_list(told):
        raise Refused(f"{side} is a list of datasets", f"$.{side}")
    some: Sequence[Any] = told
    for number, one in enumerate(some):
        _named(one, ((ROOT, side), number), "dataset")


def _named(value: Any, place: Place, what: str) -> tuple[str, str]:
    """Namespace and name, both texts; a namespace may be empty, a name may not."""
    if not is_object(value):
        raise Refused(f"a {what} is an object with namespace and name", written(place))
    pair: Mapping[str, Any] = value
    for member in ("namespace", "name"):
        told = pair.get(member)
        if not isinstance(told, str) or (member == "name" and not told):
            raise Refused(f"a {what} needs a {member}", written((place, member)))
    return pair["namespace"], pair["name"]


# What may be wrong with it and is kept all the same


def _time(event: Mapping[str, Any], now: datetime) -> tuple[datetime | None, tuple[Warned, ...]]:
    told = moment(event.get("eventTime"))
    if told is None:
        reason = "is missing" if event.get("eventTime") is None else "is no time"
        return None, (Warned("$.eventTime", f"{reason}: the event is kept as undated"),)
    trusted = believed(told, now)
    if trusted is None:
        reason = "lies before 1970 or more than a day ahead: the event is kept as undated"
        return None, (Warned("$.eventTime", reason),)
    return trusted, ()


def _judged_facets(event: dict[str, Any], limits: Limits) -> tuple[list[Warned], dict[str, Any]]:
    """Take out each facet that is not what it should be."""
    warnings: list[Warned] = []
    quarantined: dict[str, Any] = {}
    for holder, member, slot, place in _slots(event):
        told: Any = holder.get(member)
        here: Place = (place, member)
        if told is None:
            continue
        if not is_object(told):
            holder[member] = {}
            warnings.append(_aside(quarantined, here, told, "facets are an object", limits))
            continue
        facets: dict[str, Any] = told
        for name in list(facets):
            reason = faults(slot, name, facets[name], strict=limits.strict)
            if reason is not None:
                warnings.append(_aside(quarantined, (here, name), facets.pop(name), reason, limits))
    return warnings, quarantined


def _aside(quarantined: dict[str, Any], place: Place, raw: Any, reason: str, limits: Limits) -> Warned:
    path = written(place)
    if limits.strict:
        raise Refused(reason, path)
    quarantined[path] = raw
    return Warned(path, f"{reason}: kept aside")


def _slots(event: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str, Slot, Place]]:
    """Everything that holds facets: the holder, the member, what they are of, and where it stands."""
    for name, slot in (("run", Slot.RUN), ("job", Slot.JOB), ("dataset", Slot.DATASET)):
        if is_object(event.get(name)):
            yield event[name], "facets", slot, (ROOT, name)
    for side, slot in (("inputs", Slot.INPUT), ("outputs", Slot.OUTPUT)):
        for number, one in enumerate(event.get(side) or ()):
            place: Place = ((ROOT, side), number)
            yield one, "facets", Slot.DATASET, place
            yield one, f"{slot.value}Facets", slot, place


def _note(event: dict[str, Any], quarantined: Mapping[str, Any], *, untold: bool) -> None:
    note: dict[str, Any] = {}
    if quarantined:
        note["quarantined"] = quarantined
    if untold:
        note["untold"] = ["eventTime"]
    event.pop(NOTE, None)
    if note:
        event[NOTE] = note
