"""Traces as counts by day, model and prompt: what was asked and answered is never read."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ...federation.model import AssetKind, Edge, EdgeKind, Evidence, Json, Record, Role, Scope
from .api import V3, Api
from .paging import Pages, posting
from .place import Place
from .wire import field, linked_prompts, pairs, text

_DAY = 86_400_000
_PAGE = 500


def traces(api: Api, experiments: Sequence[str], since: int, place: Place) -> Iterator[list[Scope]]:
    """Whole days from the one that holds `since` on, so that each count is complete and may be told again."""
    begin = max(since, 0) // _DAY * _DAY
    for experiment in experiments:
        where = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
        body = {"locations": [where], "filter": f"timestamp_ms >= {begin}", "order_by": ["timestamp_ms ASC"]}
        counted: Counter[tuple[str, str, tuple[tuple[str, str], ...]]] = Counter()
        for page in Pages(_PAGE).listing(posting(api.post, f"{V3}/traces/search", body), "traces"):
            counted.update(_group(one) for one in page)
        yield [_scope(experiment, group, count, place) for group, count in sorted(counted.items())]


def _group(trace: Json) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    metadata, tags = pairs(field(trace, "trace_metadata")), pairs(field(trace, "tags"))
    return text(trace, "request_time")[:10], metadata.get("mlflow.modelId", ""), tuple(linked_prompts(tags))


def _scope(experiment: str, group: tuple[str, str, tuple[tuple[str, str], ...]], count: int, place: Place) -> Scope:
    """One day's traces of one model and its prompts, as a process that read them."""
    day, model, prompts = group
    used = ",".join(f"{name}/{version}" for name, version in prompts)
    native_id = f"traces/{place.workspace}/{experiment}/{day}/{model}/{used}"
    begun = datetime.fromisoformat(day).replace(tzinfo=UTC)
    record = Record(
        native_id,
        AssetKind.RUN,
        f"{count} traces on {day}",
        subtype="traces",
        created_at=begun,
        facets={"traces": {"count": count, "day": day}},
    )
    upstream = [(place.logged_model(model), Role.INFERENCE)] if model else []
    upstream += [(place.prompt_version(name, version), Role.PROMPT) for name, version in prompts]
    reads = [
        Edge(one, native_id, EdgeKind.READ, role=role, evidence=Evidence.OBSERVED, valid_from=begun)
        for one, role in upstream
    ]
    part = Edge(native_id, place.experiment(experiment), EdgeKind.PART_OF, valid_from=begun)
    return Scope(native_id, (record,), (*reads, part))
