"""What flows, tasks and their runs become: what they read and wrote, in which order, and how they ended."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import isfinite

from ...federation.model import AssetKind, Edge, EdgeKind, Evidence, Form, Json, Nature, Run, RunState, Spelling
from .columns import fine_grained
from .facets import describe
from .saying import Aspect, Place, Saying, Told
from .wire import field, kept, moment, objects, stamped, text, texts

_ENDS = {
    "SUCCESS": RunState.SUCCEEDED,
    "FAILURE": RunState.FAILED,
    "SKIPPED": RunState.ABORTED,
    "UP_FOR_RETRY": RunState.RUNNING,
}
RUN_LINEAGE = frozenset({"dataProcessInstanceInput", "dataProcessInstanceOutput"})
"""What a run read and wrote: whether it stands depends on how the run ended."""
_MADE = frozenset({AssetKind.MODEL, AssetKind.MODEL_VERSION})
_HEX = frozenset("0123456789abcdef")


def job_lineage(aspect: Aspect, place: Place) -> Told:
    """`dataJobInputOutput`: READ and WRITE of the job; between columns DERIVE through it."""
    saying = Saying(aspect, place)
    saying.relate()
    fine_grained(saying, via=saying.native_id)
    return saying.told()


def run_lineage(aspect: Aspect, place: Place) -> Told:
    """`dataProcessInstanceInput`, `…Output`, `…Relationships`: what happened, and so never expires."""
    saying = Saying(aspect, place)
    saying.nature, saying.evidence = Nature.HAPPENED, Evidence.OBSERVED
    saying.relate()
    if aspect.outcome is not None:
        saying.edges = {key: _of_failed(edge, aspect.outcome, saying) for key, edge in saying.edges.items()}
    return saying.told()


def _of_failed(edge: Edge, outcome: RunState, saying: Saying) -> Edge:
    """DataHub holds no data: that a failed run wrote it is a plan. A model that is there was made (design §2)."""
    if edge.kind not in (EdgeKind.READ, EdgeKind.WRITE):
        return edge
    is_model = edge.kind is EdgeKind.WRITE and saying.others[edge.downstream].kind in _MADE
    return replace(edge, outcome=outcome, planned=edge.kind is EdgeKind.WRITE and not is_model)


def run_properties(aspect: Aspect, place: Place) -> Told:
    """`dataProcessInstanceProperties`."""
    saying = Saying(aspect, place)
    describe(saying)
    saying.created_at = stamped(aspect.value, "created")
    return saying.told()


def training_run(aspect: Aspect, place: Place) -> Told:
    """`mlTrainingRunProperties`: `id` is the run's own at the tracker; the URN's is a hash that joins nothing."""
    saying = Saying(aspect, place)
    native = text(aspect.value, "id")
    if native:
        saying.spellings += tracked("mlflow", "run", native, place) if _is_mlflow(native) else ()
        saying.spellings.append(Spelling(Form.NAME, (native,), weak=True))
    saying.facets |= measured(aspect.value)
    outputs = texts(aspect.value, "outputUrls")
    if outputs:
        saying.facets["links"] = [{"name": "output", "url": kept(url)} for url in outputs]
    return saying.told()


def run_events(aspect: Aspect, place: Place, events: Iterable[Json]) -> Told:
    """`dataProcessInstanceRunEvent`: how the run went, of all its events that are known. The newest is kept."""
    saying = Saying(aspect, place)
    saying.is_series = True
    saying.nature = Nature.HAPPENED
    saying.run = life(events)
    saying.url = text(aspect.value, "externalUrl")
    return saying.told()


def life(events: Iterable[Json]) -> Run:
    """A run's state and times. Of several attempts the last one says how it ended; it began with the first."""
    told = sorted(events, key=order_of)
    started = next((moment(field(one, "timestampMillis")) for one in told if text(one, "status") == "STARTED"), None)
    last: Json = told[-1] if told else None
    if text(last, "status") != "COMPLETE":
        return Run(RunState.RUNNING if told else RunState.UNKNOWN, started)
    ended = moment(field(last, "timestampMillis"))
    if started is None and ended is not None and (lasted := _number(last, "durationMillis")):
        started = moment(_number(last, "timestampMillis") - lasted)
    result = field(last, "result")
    state = ended_as(last)
    error = text(result, "nativeResultType") if state is RunState.FAILED else None
    return Run(state, started, None if state is RunState.RUNNING else ended, error)


def ended_as(event: Json) -> RunState:
    """What the last event of a run says of its end."""
    return _ENDS.get(text(field(event, "result"), "type") or "", RunState.UNKNOWN)


class Ends:
    """How runs ended, as far as it is known before what they wrote is told: of many runs, of the latest ones."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._last: OrderedDict[str, tuple[tuple[int, bool], RunState]] = OrderedDict()
        self._streams: OrderedDict[str, None] = OrderedDict()

    def note(self, name: str, aspect: str, value: Json) -> None:
        """One aspect, or one event, of a run."""
        if aspect == "dataProcessInstanceProperties" and text(value, "type") == "STREAMING":
            self._streams[name] = None
        elif aspect == "dataProcessInstanceRunEvent":
            at = order_of(value)
            if name not in self._last or at >= self._last[name][0]:
                self._last[name] = at, ended_as(value) if at[1] else RunState.RUNNING
            self._last.move_to_end(name)
        for known in (self._last, self._streams):
            if len(known) > self._most:
                known.popitem(last=False)

    def of(self, name: str) -> RunState | None:
        """How a run ended, if it failed or was cut off. What a stream wrote, it wrote before."""
        _, state = self._last.get(name, (None, RunState.UNKNOWN))
        return state if state in (RunState.FAILED, RunState.ABORTED) and name not in self._streams else None


def order_of(event: Json) -> tuple[int, bool]:
    """By what the events of a run are ordered: of two of one moment the end is the later one."""
    return _number(event, "timestampMillis"), text(event, "status") == "COMPLETE"


def tracked(platform: str, kind: str, native_id: str, place: Place) -> tuple[Spelling, ...]:
    """A thing as its tracker calls it. Without the tracker's source it says what is meant, and not where."""
    source, _, workspace = place.trackers.get(platform, "").partition("/")
    return (Spelling(Form.MLFLOW, (source, workspace, kind, native_id), weak=not source),)


def measured(value: Json) -> dict[str, Json]:
    """Parameters and metrics, as lists of names and values or as the older maps."""
    facets: dict[str, Json] = {}
    parameters = _pairs(value, "hyperParams") or _pairs(value, "hyperParameters")
    metrics = {**_pairs(value, "onlineMetrics"), **_pairs(value, "trainingMetrics")}
    return facets | ({"parameters": parameters} if parameters else {}) | ({"metrics": metrics} if metrics else {})


def _pairs(value: Json, name: str) -> dict[str, Json]:
    found = field(value, name)
    if isinstance(found, Mapping):
        return kept(found)
    rows = kept([*objects(value, name)])
    return {row["name"]: row.get("value") for row in rows if isinstance(row.get("name"), str)}


def _is_mlflow(native_id: str) -> bool:
    """MLflow's run ids are 32 digits, random and so unique in the world."""
    return len(native_id) == 32 and _HEX.issuperset(native_id)


def _number(value: Json, name: str) -> int:
    found = field(value, name)
    return int(found) if isinstance(found, int | float) and isfinite(found) else 0
