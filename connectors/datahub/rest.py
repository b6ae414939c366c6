"""DataHub's API over HTTP: which question each call is, and answers told apart that look alike."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from ...config.settings import Source
from ...federation.clock import Clock
from ...federation.errors import SourceChanged, SourceRefused
from ...federation.model import Json
from ..http import Absent, Denied, Failing, Rejected, path
from ..http.sizes import Sizes
from .urn import Urn
from .wire import field, members, objects, texts

LOST = ("search context missing", "No search context found", "no such point in time", "search_context_missing")
"""How a 500 says that the place in a scroll is forgotten (a restart, an expired point in time)."""
_SCROLL = "/openapi/v3/entity/scroll"
_SPECIFICATIONS = "/openapi/v1/registry/models/entity/specifications"
_FULL = 200


class LostScroll(Exception):
    """The server forgot where a scroll stood: it must begin again."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a scroll."""

    entities: list[dict[str, Any]]
    scroll: str | None
    total: int | None
    strange: int = 0
    """How many rows were no objects."""


class Rest:
    """One DataHub, at its own address or behind its frontend's `/api/gms`."""

    def __init__(
        self,
        source: Source,
        transport: httpx2.BaseTransport | None,
        sleep: Callable[[float], None],
        clock: Clock,
    ) -> None:
        self._http = Sizes(source, transport=transport, sleep=sleep, clock=clock, lasting=LOST)
        self.called = f"datahub {source.name!r}"

    @property
    def requests(self) -> int:
        """How many requests went out."""
        return self._http.requests

    def config(self) -> dict[str, Any]:
        """What the server says of itself. A page instead of that is another address than the API's."""
        try:
            told = members(self._http.roomy.get_json("/config"))
        except (Denied, Rejected) as error:
            if error.answer.status == _FULL and error.answer.is_page():
                raise SourceRefused(self._elsewhere("a web page")) from error
            raise
        if told is None or str(told.get("noCode")).lower() != "true":
            raise SourceRefused(self._elsewhere("something that is no configuration of a DataHub"))
        return told

    def types(self) -> dict[str, tuple[str, ...]] | None:
        """All types of entities with their aspects; None where the server has no registry to ask."""
        found: dict[str, tuple[str, ...]] = {}
        start = 0
        try:
            while True:
                answer = self._http.roomy.get_json(_SPECIFICATIONS, {"start": start, "count": 100})
                listed = list(objects(answer, "elements"))
                found.update(_specified(listed))
                start += len(listed)
                total = field(answer, "total")
                if not listed or not isinstance(total, int) or start >= total:
                    return found or None
        except Absent:
            return None

    def page(self, types: Sequence[str], aspects: Sequence[str] | None, count: int, scroll: str | None) -> Page:
        """One page of entities; `aspects` None: their URNs alone, empty: all aspects. Raises `LostScroll`."""
        params: dict[str, str | int] = {"count": count, "query": "*", "sort": "urn", "systemMetadata": "true"}
        params |= {"includeSoftDelete": "true", "skipCache": "true", "skipAggregation": "true"}
        body: dict[str, Json] = {"entities": list(types)} | ({"aspects": list(aspects)} if aspects is not None else {})
        client = self._http.roomy if count == 1 else self._http.paged
        try:
            answer = client.post_json(_SCROLL, body, params | ({"scrollId": scroll} if scroll else {}))
        except Failing as error:
            if any(word.encode() in error.answer.body for word in LOST):
                raise LostScroll(str(error)) from error
            raise
        except Absent as error:
            if scroll:
                raise LostScroll(str(error)) from error
            raise SourceChanged(
                f"{self.called}: 404 on POST {_SCROLL}: this server is too old to be read. DataHub 1.0 and later have "
                "the OpenAPI v3 that is needed; update it, or read a file that `datahub` exported, by `path`"
            ) from error
        listed, total, following = field(answer, "entities"), field(answer, "totalCount"), field(answer, "scrollId")
        if not isinstance(listed, list):
            raise SourceChanged(f"{self.called}: a page without `entities`", sample=str(answer)[:500])
        rows = list(objects(answer, "entities"))
        known = total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None
        return Page(rows, following if isinstance(following, str) else None, known, len(listed) - len(rows))  # pyright: ignore[reportUnknownArgumentType]  # items of any kind

    def entities(self, type_: str, urns: Iterable[str], aspects: Sequence[str]) -> list[dict[str, Any]]:
        """Some entities of one type as they are now; those that are not there are missing."""
        body: list[Json] = [{"urn": one, **{aspect: {} for aspect in aspects}} for one in urns]
        answer = self._http.roomy.post_json(
            path("openapi", "v3", "entity", type_, "batchGet"), body, {"systemMetadata": "true"}
        )
        return list(objects({"rows": answer}, "rows"))

    def series(self, one: Urn, aspect: str, limit: int) -> list[str]:
        """The newest events of a series, each as JSON in a text."""
        body = {"urn": one.text, "entity": one.type, "aspect": aspect, "limit": limit}
        answer = self._http.roomy.post_json("/aspects", body, {"action": "getTimeseriesAspectValues"})
        values = objects(field(answer, "value"), "values")
        return [text for value in values if isinstance(text := field(field(value, "aspect"), "value"), str)]

    def poll(self, topic: str, offset: str | None, limit: int) -> tuple[list[str], str]:
        """Changes from an offset on, and the next one; without an offset none, and where the log ends now."""
        params: dict[str, str | int] = {"topic": topic, "limit": limit, "pollTimeoutSeconds": 1}
        answer = self._http.roomy.get_json("/openapi/v1/events/poll", params | ({"offsetId": offset} if offset else {}))
        told, following = field(answer, "errorMessage"), field(answer, "offsetId")
        if told or not isinstance(following, str) or not following:
            raise SourceChanged(f"{self.called}: the change log answers {str(told or 'without an offset')[:200]!r}")
        events = objects(answer, "events")
        return [text for event in events if isinstance(text := field(event, "value"), str)], following

    def is_there(self, one: Urn, aspect: str = "") -> bool:
        """Whether an entity, or an aspect of it, exists. Raises `Denied` where that is not told."""
        parts = ("openapi", "v3", "entity", one.type, one.text, *([aspect] if aspect else []))
        try:
            self._http.roomy.get_json(path(*parts), None if aspect else {"aspects": "status"})
        except Absent:
            return False
        return True

    def close(self) -> None:
        """Give back connections."""
        self._http.close()

    def _elsewhere(self, what: str) -> str:
        return (
            f"{self.called}: wrong_url_or_proxy: {what} on GET /config. Write the address of the metadata service as "
            "url (http://host:8080), or that of the web page with /api/gms behind it"
        )


def aspects_of(types: Mapping[str, Sequence[str]] | None, wanted: Iterable[str], but: frozenset[str]) -> list[str]:
    """The aspects to ask of some types; empty, which means all, where the server does not list them."""
    if types is None:
        return []
    return sorted({aspect for one in wanted for aspect in types.get(one, ())} - but)


def _specified(listed: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for one in listed:
        name = one.get("name")
        if isinstance(name, str):
            told = [field(field(spec, "aspectAnnotation"), "name") for spec in objects(one, "aspectSpecs")]
            key = texts({"key": [one.get("keyAspectName")]}, "key")
            yield name, (*key, *(aspect for aspect in told if isinstance(aspect, str)))
