"""When the client asks again, how long it waits, and when it gives up."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from watersmeet.connectors.http import Failing, Http, Limits, TooMuch
from watersmeet.federation.errors import SourceChanged, SourceUnavailable

from .faults import Fault, FaultTransport, Sleeper, answers

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture
def connect(sleeper: Sleeper) -> Callable[..., Http]:
    def connected(transport: httpx2.BaseTransport, **limits: Any) -> Http:
        return Http(
            "http://lab.test/prefix",
            source="marquez 'lab'",
            limits=Limits(**limits),
            transport=transport,
            sleep=sleeper.sleep,
            monotonic=sleeper.monotonic,
            clock=lambda: NOW,
            jitter=lambda: 1.0,
        )

    return connected


@pytest.mark.parametrize("kind", ["reset", "refused", "cut", "truncated", "timeout", "status"])
def test_what_passes_is_tried_again(kind: str, connect: Callable[..., Http], sleeper: Sleeper):
    transport = FaultTransport(answers({"jobs": []}), {1: Fault(kind), 2: Fault(kind)})
    http = connect(transport)
    assert http.get_json("/api/v1/jobs", {"limit": 5}) == {"jobs": []}
    assert transport.paths == ["/prefix/api/v1/jobs?limit=5"] * 3
    assert http.requests == 3
    assert sleeper.slept[:2] == [0.5, 1.0]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_these_answers_are_tried_again(status: int, connect: Callable[..., Http]):
    transport = FaultTransport(answers([]), {1: Fault(status=status)})
    assert connect(transport).get_json("/x") == []
    assert len(transport.requests) == 2


@pytest.mark.parametrize("status", [400, 404, 405, 415, 422, 501])
def test_these_answers_are_final(status: int, connect: Callable[..., Http]):
    transport = FaultTransport(answers([]), {1: Fault(status=status)})
    with pytest.raises((SourceChanged, SourceUnavailable)):
        connect(transport).get_json("/x")
    assert len(transport.requests) == 1


def test_patience_ends_and_says_what_was_tried(connect: Callable[..., Http], sleeper: Sleeper):
    body = b'{"code": 500, "message": "There was an error"}'
    transport = FaultTransport(answers([]), {n: Fault(status=500, body=body) for n in range(1, 20)})
    with pytest.raises(Failing, match=r"marquez 'lab': 500 on GET /prefix/x .*There was an error.* \(4 tries\)"):
        connect(transport, retries=3).get_json("/x")
    assert len(transport.requests) == 4
    assert sleeper.slept == [0.5, 1.0, 2.0]


def test_who_gave_up_on_a_slow_answer_does_not_ask_five_times_more(connect: Callable[..., Http]):
    transport = FaultTransport(answers([]), {n: Fault("timeout") for n in range(1, 20)})
    with pytest.raises(TooMuch, match=r"no answer in time on GET /prefix/x\. Raise http\.timeout"):
        connect(transport).get_json("/x")
    assert len(transport.requests) == 3


def test_a_question_may_be_asked_once_only(connect: Callable[..., Http]):
    transport = FaultTransport(answers([]), {1: Fault(status=500)})
    with pytest.raises(Failing):
        connect(transport).get_json("/x", retries=0)
    assert len(transport.requests) == 1


def test_nobody_listening_is_said_with_the_port(connect: Callable[..., Http]):
    transport = FaultTransport(answers([]), {n: Fault("refused") for n in range(1, 9)})
    with pytest.raises(SourceUnavailable, match=r"GET /prefix/x on lab\.test: nobody answers on port 80 .*\(6 tries\)"):
        connect(transport).get_json("/x")


@pytest.mark.parametrize("told", ["7", " 7 ", "7.0", "Thu, 26 Nov 2026 12:00:07 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_as_seconds_and_as_a_date(
    told: str, status: int, connect: Callable[..., Http], sleeper: Sleeper
):
    transport = FaultTransport(answers([]), {1: Fault(status=status, headers={"Retry-After": told})})
    connect(transport).get_json("/x")
    assert sleeper.slept == [7.0]


@pytest.mark.parametrize("told", ["soon", "-5", "nan", "", "1e300"])
def test_a_senseless_retry_after_is_as_none(told: str, connect: Callable[..., Http], sleeper: Sleeper):
    transport = FaultTransport(answers([]), {1: Fault(status=429, headers={"Retry-After": told})})
    connect(transport).get_json("/x")
    assert sleeper.slept == [0.5]


def test_a_date_that_has_passed_means_now(connect: Callable[..., Http], sleeper: Sleeper):
    date = "Wed, 25 Nov 2026 12:00:00 GMT"
    transport = FaultTransport(answers([]), {1: Fault(status=429, headers={"Retry-After": date})})
    connect(transport).get_json("/x")
    assert sleeper.slept == [0.0]


def test_a_retry_after_beyond_the_cap_ends_the_request_and_tells_when_to_come_back(
    connect: Callable[..., Http], sleeper: Sleeper
):
    transport = FaultTransport(answers([]), {1: Fault(status=429, headers={"Retry-After": "3600"})})
    with pytest.raises(SourceUnavailable, match="come back at 2026-11-26T13:00:00Z") as caught:
        connect(transport).get_json("/x")
    assert caught.value.retry_at == NOW + timedelta(hours=1)
    assert sleeper.slept == []
    assert len(transport.requests) == 1


def test_the_budget_of_a_request_holds_over_all_its_tries(connect: Callable[..., Http], sleeper: Sleeper):
    transport = FaultTransport(answers([]), {n: Fault() for n in range(1, 99)})
    with pytest.raises(SourceUnavailable):
        connect(transport, retries=50, budget=timedelta(seconds=10)).get_json("/x")
    assert sum(sleeper.slept) < 10


def test_the_budget_of_a_whole_read_holds_over_all_its_requests(connect: Callable[..., Http], sleeper: Sleeper):
    def slow(request: httpx2.Request) -> httpx2.Response:
        sleeper.now += 4
        return httpx2.Response(200, json=[])

    http = connect(httpx2.MockTransport(slow), total=timedelta(seconds=10))
    for _ in range(3):
        http.get_json("/x")
    with pytest.raises(SourceUnavailable, match="the whole read took longer than 0:00:10"):
        http.get_json("/x")
    http.begin()
    assert http.get_json("/x") == []


def test_pressure_slows_the_pace_and_good_answers_give_it_back(connect: Callable[..., Http], sleeper: Sleeper):
    transport = FaultTransport(answers([]), {n: Fault(status=429) for n in range(1, 5)})
    http = connect(transport)
    http.get_json("/x")
    sleeper.slept.clear()
    for _ in range(20):
        http.get_json("/x")
    assert 0.1 < sleeper.slept[0] < 1.0
    assert sleeper.slept == sorted(sleeper.slept, reverse=True)
    assert len(sleeper.slept) < 20


def test_a_platform_that_answers_slowly_gets_time_to_breathe(connect: Callable[..., Http], sleeper: Sleeper):
    def slow(request: httpx2.Request) -> httpx2.Response:
        sleeper.now += 8
        return httpx2.Response(200, json=[])

    http = connect(httpx2.MockTransport(slow))
    http.get_json("/x")
    http.get_json("/x")
    assert sleeper.slept == [4.0]


def test_a_post_is_a_question_and_asked_again(connect: Callable[..., Http]):
    bodies: list[bytes] = []

    def search(request: httpx2.Request) -> httpx2.Response:
        bodies.append(request.content)
        return httpx2.Response(200, json={"runs": []}) if len(bodies) > 1 else httpx2.Response(502)

    assert connect(httpx2.MockTransport(search)).post_json("/search", {"max_results": 1}) == {"runs": []}
    assert bodies == [b'{"max_results":1}'] * 2


def _quota(*told: tuple[int, dict[str, str]]) -> httpx2.MockTransport:
    """Answers with these headers, one after the other; then plain ones."""
    rest = list(told)

    def answer(request: httpx2.Request) -> httpx2.Response:
        status, headers = rest.pop(0) if rest else (200, {})
        return httpx2.Response(status, headers=headers, json=[])

    return httpx2.MockTransport(answer)


def test_a_quota_that_is_used_up_is_waited_for(connect: Callable[..., Http], sleeper: Sleeper):
    http = connect(_quota((200, {"RateLimit-Remaining": "0", "RateLimit-Reset": "7"})))
    for _ in range(3):
        http.get_json("/x")
    assert sleeper.slept == [7.0]


def test_a_429_that_tells_its_quota_alone_is_waited_out(connect: Callable[..., Http], sleeper: Sleeper):
    http = connect(_quota((429, {"RateLimit-Remaining": "0", "RateLimit-Reset": "9"})))
    http.get_json("/x")
    assert sleeper.slept == [9.0]


@pytest.mark.parametrize("reset", ["", "soon", "-3", "1795694400"])
def test_a_quota_that_tells_no_duration_is_no_rest(reset: str, connect: Callable[..., Http], sleeper: Sleeper):
    http = connect(_quota((200, {"RateLimit-Remaining": "0", "RateLimit-Reset": reset})))
    http.get_json("/x")
    http.get_json("/x")
    assert sleeper.slept == []
