"""What of an answer is believed: its size, its depth, its form."""

import gzip
import json
from collections.abc import Callable, Iterator

import httpx2
import pytest

from watersmeet.config.errors import Misconfigured
from watersmeet.connectors.http import Absent, Denied, Http, Limits, Rejected, TooMuch, path
from watersmeet.federation.errors import BadInput, SourceChanged, SourceRefused, SourceUnavailable

from .faults import Fault, FaultTransport, Sleeper, answers


class Wire(httpx2.SyncByteStream):
    """A body as it comes over the wire, counted as it is taken."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.taken += len(piece)
            yield piece


def asked(wire: Wire | bytes, headers: dict[str, str] | None = None, limits: Limits | None = None) -> object:
    stream = wire if isinstance(wire, Wire) else Wire(iter([wire]))
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, headers=headers or {}, stream=stream))
    limits = limits or Limits(retries=0)
    return Http("http://lab.test", source="marquez 'lab'", limits=limits, transport=transport).get_json("/x")


GZIP = {"content-encoding": "gzip"}


def test_a_packed_answer_is_unpacked():
    assert asked(gzip.compress(b'{"jobs": [1]}'), GZIP) == {"jobs": [1]}
    assert asked(gzip.compress(b'{"jobs": ') + gzip.compress(b"[1]}"), GZIP) == {"jobs": [1]}


def test_a_bomb_is_recognised_while_it_is_unpacked():
    bomb = gzip.compress(b'"' + b"a" * 300_000_000 + b'"', compresslevel=1)
    wire = Wire(bomb[start : start + 65536] for start in range(0, len(bomb), 65536))
    with pytest.raises(TooMuch, match=r"larger than what is taken \(more than 2,000,000 bytes once it is unpacked\)"):
        asked(wire, GZIP, Limits(retries=0, inflated_bytes=2_000_000))
    assert wire.taken < len(bomb) / 2


def test_an_answer_without_end_is_cut_off_where_it_becomes_too_large():
    wire = Wire(b"a" * 65536 for _ in range(10_000))
    with pytest.raises(TooMuch, match=r"more than 1,000,000 bytes as it arrives.*raise http\.page_bytes"):
        asked(wire, limits=Limits(wire_bytes=1_000_000))
    assert wire.taken < 1_100_000


@pytest.mark.parametrize("cut", [1, 12, 20])
def test_a_packed_answer_that_ends_too_early_is_cut_off(cut: int):
    with pytest.raises(SourceUnavailable, match="cut off"):
        asked(gzip.compress(b'{"jobs": [1, 2, 3]}')[:cut], GZIP)


def test_an_encoding_that_nobody_asked_for_is_refused():
    with pytest.raises(SourceChanged, match="encoded as 'br', which nobody asked for"):
        asked(b"xyz", {"content-encoding": "br"})


@pytest.mark.parametrize("brackets", ["[]", '{"a":}'])
def test_too_deep_an_answer_is_refused(brackets: str):
    opening, closing = (brackets[:-1], brackets[-1])
    deep = (opening * 300 + "1" + closing * 300).encode()
    with pytest.raises(SourceChanged, match="more than 200 deep"):
        asked(deep)
    fine = (opening * 150 + "1" + closing * 150).encode()
    assert asked(fine) == json.loads(fine)


def test_brackets_in_a_text_nest_nothing():
    text = {"a": "[[[[" * 200 + '\\"{{{' * 200}
    assert asked(json.dumps(text).encode()) == text


def test_two_hundred_thousand_brackets_do_no_harm():
    with pytest.raises((SourceChanged, SourceUnavailable)):
        asked(b"[" * 200_000)
    with pytest.raises((SourceChanged, SourceUnavailable)):
        asked(b"[" * 200_000 + b"]" * 200_000)


def test_what_is_no_json_but_sent_by_platforms_is_read():
    assert asked(b'{"auc": NaN, "loss": -Infinity, "name": "\\ud800"}') == {"auc": None, "loss": None, "name": "\ud800"}


@pytest.mark.parametrize("body", [b'{"jobs": [', b'{"jobs": "abc', b""])
def test_half_an_answer_is_the_networks_fault(body: bytes):
    with pytest.raises(SourceUnavailable, match="cut off"):
        asked(body)


def test_what_is_no_json_at_all_is_a_change_of_the_platform_and_a_sample_is_kept():
    with pytest.raises(SourceChanged, match="no JSON that we take") as caught:
        asked(b"jobs: none, password=hunter22")
    assert caught.value.sample == "jobs: none, password=***"


class TestPagesForPeople:
    def test_a_sign_on_in_front_is_a_missing_credential(self):
        transport = FaultTransport(answers([]), {1: Fault("html")})
        with pytest.raises(SourceRefused, match=r"a page to sign in instead of JSON on GET /x.*behind it"):
            Http("http://lab.test", source="marquez 'lab'", transport=transport).get_json("/x")

    def test_any_other_page_is_a_wrong_address(self):
        transport = FaultTransport(answers([]), {1: Fault("page")})
        with pytest.raises(SourceChanged, match=r"a web page instead of JSON on GET /x.*may lack a prefix"):
            Http("http://lab.test", source="marquez 'lab'", transport=transport).get_json("/x")

    def test_a_page_that_says_it_is_json_is_a_page(self):
        with pytest.raises(Rejected):
            asked(b"\n <!DOCTYPE html><html></html>", {"content-type": "application/json"})


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "error", "remedy"),
        [
            (401, Denied, "give the source a token, or username and password"),
            (403, Denied, "grant it, or configure another"),
            (407, Denied, "A proxy in front"),
            (404, Absent, "look at the url, with its prefix"),
            (410, Absent, "not there"),
            (400, Rejected, "does not understand the question"),
            (422, Rejected, "does not understand the question"),
        ],
    )
    def test_each_says_what_to_do(self, status: int, error: type[Exception], remedy: str):
        transport = FaultTransport(answers([]), {1: Fault(status=status, body=b"<p>No <b>way</b></p>")})
        with pytest.raises(error, match=rf"marquez 'lab': {status} on GET /x \(No way\)\. .*{remedy}"):
            Http("http://lab.test", source="marquez 'lab'", transport=transport).get_json("/x")


class TestAddresses:
    @pytest.mark.parametrize("base", ["http://lab.test/a/b", "http://lab.test/a/b/"])
    def test_a_name_stays_one_segment_below_the_prefix(self, base: str):
        transport = FaultTransport(answers({}))
        http = Http(base, source="marquez 'lab'", transport=transport)
        http.get_json(path("namespaces", "s3://lake;k=v@h+%2F", "datasets", "..", "a b/ü"))
        assert transport.paths == ["/a/b/namespaces/s3%3A%2F%2Flake%3Bk%3Dv%40h%2B%252F/datasets/%2E%2E/a%20b%2F%C3%BC"]

    def test_an_empty_name_would_name_the_list(self):
        with pytest.raises(BadInput):
            path("namespaces", "")

    def test_values_of_parameters_are_encoded(self):
        transport = FaultTransport(answers({}))
        Http("http://lab.test", source="marquez 'lab'", transport=transport).get_json("/e", {"after": "1+02:00&x"})
        assert transport.paths == ["/e?after=1%2B02%3A00%26x"]

    @pytest.mark.parametrize(
        "url", ["ftp://lab.test", "lab.test", "http://", "http://u:hunter22@lab.test", "http://[", ""]
    )
    def test_what_is_no_address_is_a_matter_of_the_settings(self, url: str):
        with pytest.raises(Misconfigured) as caught:
            Http(url, source="marquez 'lab'")
        assert "hunter22" not in str(caught.value)


def test_time_runs_out_in_the_middle_of_an_answer_that_drips():
    sleeper = Sleeper()

    def drops() -> Iterator[bytes]:
        while True:
            sleeper.now += 20
            yield b" "

    def transport(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, stream=Wire(drops()))

    http = Http(
        "http://lab.test",
        source="marquez 'lab'",
        transport=httpx2.MockTransport(transport),
        sleep=sleeper.sleep,
        monotonic=sleeper.monotonic,
    )
    started = sleeper.now
    with pytest.raises(TooMuch, match="no answer in time"):
        http.get_json("/x")
    assert sleeper.now - started < 700


def test_every_error_of_the_library_is_translated():
    """A transport error that nobody foresaw would end a sync with a trace instead of a remedy."""
    errors = [one for one in vars(httpx2).values() if isinstance(one, type) and issubclass(one, httpx2.TransportError)]
    assert len(errors) > 10

    def failing(error: type[httpx2.TransportError]) -> Callable[[httpx2.Request], httpx2.Response]:
        def fail(request: httpx2.Request) -> httpx2.Response:
            raise error("no")

        return fail

    for error in errors:
        http = Http(
            "http://lab.test",
            source="marquez 'lab'",
            limits=Limits(retries=0),
            transport=httpx2.MockTransport(failing(error)),
        )
        with pytest.raises((SourceUnavailable, SourceChanged)):
            http.get_json("/x")
