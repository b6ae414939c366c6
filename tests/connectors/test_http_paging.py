"""Listings in pages: where they end, and when they would not."""

from typing import Any

import httpx2
import pytest

from watersmeet.connectors.http import Http, by_offset
from watersmeet.federation.errors import SourceChanged

from .faults import FaultTransport, answers


def listing(*pages: dict[str, Any]) -> Http:
    """A platform that gives these pages one after the other."""
    left = iter(pages)
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=next(left)))
    return Http("http://lab.test", source="mlflow 'lab'", transport=transport)


def following(page: Any) -> str | None:
    return page.get("next")


def test_an_empty_page_is_not_the_end_while_there_is_more():
    http = listing({"runs": [1], "next": "a"}, {"runs": [], "next": "b"}, {"next": "c"}, {"runs": [2]})
    pages = list(http.pages("/runs", following=following, into="page_token"))
    assert [page.get("runs", []) for page in pages] == [[1], [], [], [2]]
    assert http.requests == 4


def test_the_name_of_the_next_page_is_handed_on_with_the_parameters():
    transport = FaultTransport(
        lambda request: httpx2.Response(200, json={"next": "a"} if b"after" not in request.url.query else {})
    )
    http = Http("http://lab.test", source="mlflow 'lab'", transport=transport)
    list(http.pages("/runs", {"limit": 2}, following=following, into="after"))
    assert transport.paths == ["/runs?limit=2", "/runs?limit=2&after=a"]


@pytest.mark.parametrize("names", ["aa", "aba", "abcab"])
def test_a_page_that_returns_would_never_end(names: str):
    http = listing(*({"next": name} for name in names), {})
    with pytest.raises(SourceChanged, match="it would never end"):
        list(http.pages("/runs", following=following, into="page_token"))


def test_pages_by_offset_end_with_a_short_one():
    rows = [{"id": number} for number in range(7)]

    def ask(params: Any) -> Any:
        return {"totalCount": 99, "jobs": rows[params["offset"] : params["offset"] + params["limit"]]}

    assert [len(page) for page in by_offset(ask, "jobs", 3, "marquez 'lab'")] == [3, 3, 1]
    assert [len(page) for page in by_offset(ask, "jobs", 7, "marquez 'lab'")] == [7, 0]


def test_an_offset_that_is_ignored_is_noticed():
    with pytest.raises(SourceChanged, match="answers every offset with the same page"):
        list(by_offset(lambda params: {"jobs": [{"id": 1}]}, "jobs", 1, "marquez 'lab'"))


@pytest.mark.parametrize("answer", [[], {}, {"jobs": None}, "jobs", None])
def test_an_answer_without_the_list_is_a_change(answer: Any):
    with pytest.raises(SourceChanged, match="without the list 'jobs'"):
        list(by_offset(lambda params: answer, "jobs", 3, "marquez 'lab'"))


def test_pages_are_asked_for_when_they_are_wanted():
    http = Http("http://lab.test", source="mlflow 'lab'", transport=FaultTransport(answers({"next": "x"})))
    next(http.pages("/runs", following=following, into="page_token"))
    assert http.requests == 1
