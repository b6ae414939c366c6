"""Tests and assertions: each is an evaluation of its own, with its result."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from ..model import AssetKind, Edge, EdgeKind, Evidence, Json, Record
from .decode import encode
from .foreign import objects_of, text_of
from .names import column_id


def judged(
    sheet_id: str,
    dataset: Record,
    sayings: Iterable[Mapping[str, Json]],
    at: datetime | None,
    *,
    via: str | None,
    evidence: Evidence,
) -> Iterator[tuple[Record, Edge, str]]:
    """The assertions about a dataset: evaluation, edge, and the column that was judged (empty: all of it).

    `sheet_id` is the run (or dataset) within which each is known; dbt tells each assertion in two slots.
    """
    told = {encode(dict(one)): one for facets in sayings for one in _assertions(facets)}
    names: dict[str, int] = {}
    for _, one in sorted(told.items()):
        column = text_of(one, "column")
        word = text_of(one, "name") or ":".join(filter(None, (text_of(one, "assertion"), column))) or "assertion"
        names[word] = names.get(word, 0) + 1
        key = word if names[word] == 1 else f"{word}~{names[word]}"
        record = Record(
            native_id=f"evaluation:{sheet_id}/{dataset.native_id}/{key}",
            kind=AssetKind.EVALUATION,
            name=word,
            subtype=text_of(one, "assertion") or None,
            description=text_of(one, "description") or None,
            created_at=at,
            facets={"result": _result(one, one.get("success"))},
            teller=dataset.teller,
        )
        up = column_id(dataset.native_id, column) if column else dataset.native_id
        yield record, Edge(up, record.native_id, EdgeKind.CHECK, evidence=evidence, via=via, valid_from=at), column


def tested(run: Record, facets: Mapping[str, Json], at: datetime | None) -> Iterator[tuple[Record, Edge]]:
    """The tests that a run tells without saying of what: parts of the run."""
    names: dict[str, int] = {}
    for one in sorted(objects_of(facets.get("test"), "tests"), key=lambda one: encode(dict(one))):
        word = text_of(one, "name") or text_of(one, "type") or "test"
        names[word] = names.get(word, 0) + 1
        key = word if names[word] == 1 else f"{word}~{names[word]}"
        status = text_of(one, "status").lower()
        success = {"pass": True, "fail": False}.get(status)
        record = Record(
            native_id=f"evaluation:{run.native_id}/{key}",
            kind=AssetKind.EVALUATION,
            name=word,
            subtype=text_of(one, "type") or None,
            description=text_of(one, "description") or None,
            created_at=at,
            facets={"result": _result(one, success)},
            teller=run.teller,
        )
        yield record, Edge(record.native_id, run.native_id, EdgeKind.PART_OF, evidence=Evidence.OBSERVED, valid_from=at)


def _assertions(facets: Mapping[str, Json]) -> Iterable[Mapping[str, Json]]:
    return objects_of(facets.get("dataQualityAssertions"), "assertions")


def _result(one: Mapping[str, Json], success: Json) -> Json:
    return {"success": success, **{name: value for name, value in one.items() if name not in ("name", "success")}}
