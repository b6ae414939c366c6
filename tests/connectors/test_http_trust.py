"""Who is told our credentials, where requests go, and what never stands in a message or a log."""

import base64
import logging
from pathlib import Path

import httpx2
import pytest

from watersmeet.config.settings import Misconfigured, Source
from watersmeet.connectors.http import Denied, Http, Redirected
from watersmeet.federation.errors import SourceError, SourceRefused

from .faults import FaultTransport, answers

SECRET = "hunter22-not-a-secret"


def source(**more: object) -> Source:
    return Source.model_validate({"name": "lab", "platform": "marquez", "url": "https://lab.test/p", **more})


class TestCredentials:
    def test_a_token_is_a_bearer(self):
        transport = FaultTransport(answers({}))
        Http.of(source(token=SECRET), transport=transport).get_json("/x")
        assert transport.requests[0].headers["authorization"] == f"Bearer {SECRET}"

    def test_a_user_has_a_password(self):
        transport = FaultTransport(answers({}))
        Http.of(source(username="ml", password=SECRET), transport=transport).get_json("/x")
        pair = base64.b64encode(f"ml:{SECRET}".encode()).decode()
        assert transport.requests[0].headers["authorization"] == f"Basic {pair}"

    def test_nobody_sends_nothing(self):
        transport = FaultTransport(answers({}))
        Http.of(source(), transport=transport).get_json("/x")
        assert "authorization" not in transport.requests[0].headers

    def test_a_renewed_file_is_tried_once_after_a_401(self, tmp_path: Path):
        file = tmp_path / "token"
        file.write_text("old-token")

        def guarded(request: httpx2.Request) -> httpx2.Response:
            if request.headers["authorization"] == "Bearer new-token":
                return httpx2.Response(200, json=[])
            file.write_text("new-token")
            return httpx2.Response(401)

        transport = FaultTransport(guarded)
        http = Http.of(source(token_file=file), transport=transport)
        assert http.get_json("/x") == []
        assert len(transport.requests) == 2
        http.get_json("/x")
        assert len(transport.requests) == 3

    def test_a_401_with_the_same_credential_is_final(self, tmp_path: Path):
        file = tmp_path / "token"
        file.write_text(SECRET)
        transport = FaultTransport(answers({}, 401))
        with pytest.raises(Denied, match="The credential is not accepted"):
            Http.of(source(token_file=file), transport=transport).get_json("/x")
        assert len(transport.requests) == 1

    def test_a_file_that_holds_something_else_is_named_and_not_shown(self, tmp_path: Path):
        file = tmp_path / "token"
        file.write_text(f"{SECRET}\nsecond line ü")
        with pytest.raises(Misconfigured, match="characters that no header can") as caught:
            Http.of(source(token_file=file), transport=FaultTransport(answers({}))).get_json("/x")
        assert SECRET not in str(caught.value)

    def test_two_instances_share_nothing(self):
        first, second = FaultTransport(answers({})), FaultTransport(answers({}))
        one = Http.of(source(token="token-one"), transport=first)
        other = Http.of(source(token="token-two"), transport=second)
        one.get_json("/x")
        other.get_json("/x")
        one.get_json("/x")
        assert [request.headers["authorization"] for request in first.requests] == ["Bearer token-one"] * 2
        assert [request.headers["authorization"] for request in second.requests] == ["Bearer token-two"]

    def test_a_cookie_is_not_kept(self):
        transport = FaultTransport(lambda request: httpx2.Response(200, json=[], headers={"set-cookie": "s=1; Path=/"}))
        http = Http.of(source(), transport=transport)
        http.get_json("/x")
        http.get_json("/x")
        assert "cookie" not in transport.requests[1].headers


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_within_the_origin_they_are_followed(self, status: int):
        def moved(request: httpx2.Request) -> httpx2.Response:
            if request.url.path == "/p/jobs/old":
                return httpx2.Response(status, headers={"location": "https://lab.test/p/jobs/new%2Fname"})
            return httpx2.Response(200, json={"name": "new/name"})

        transport = FaultTransport(moved)
        answer, body = Http.of(source(token=SECRET), transport=transport).get("/jobs/old")
        assert body == {"name": "new/name"}
        assert (answer.moved, answer.path) == (True, "/p/jobs/new%2Fname")
        assert transport.requests[1].headers["authorization"] == f"Bearer {SECRET}"

    @pytest.mark.parametrize(
        "location",
        [
            "https://evil.test/p/x",
            "http://lab.test/p/x",
            "https://lab.test:8443/p/x",
            "//evil.test/x",
            "https://lab.test@evil.test/x",
            "https://lab.test.evil.test/",
        ],
    )
    def test_to_another_origin_no_request_is_sent(self, location: str):
        transport = FaultTransport(lambda request: httpx2.Response(302, headers={"location": location}))
        with pytest.raises(Redirected, match="where no request is sent") as caught:
            Http.of(source(token=SECRET), transport=transport).get_json("/x")
        assert len(transport.requests) == 1
        assert caught.value.location == location

    def test_one_in_a_circle_ends(self):
        transport = FaultTransport(lambda request: httpx2.Response(302, headers={"location": "/p/x"}))
        with pytest.raises(SourceError, match="sent on again and again"):
            Http.of(source(), transport=transport).get_json("/x")
        assert len(transport.requests) == 6

    def test_a_question_with_a_body_is_not_turned_into_another(self):
        transport = FaultTransport(lambda request: httpx2.Response(302, headers={"location": "/p/y"}))
        with pytest.raises(Redirected):
            Http.of(source(), transport=transport).post_json("/x", {})
        assert len(transport.requests) == 1


class TestOtherHosts:
    ALSO = ("*.amazonaws.com", "storage.googleapis.com", "*")

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("http://b.s3.amazonaws.com/k", "not https"),
            ("https://u:p@b.s3.amazonaws.com/k", "holds a user"),
            ("https://b.s3.amazonaws.com:8443/k", "port 8443"),
            ("https://127.0.0.1/k", "this machine"),
            ("https://[::1]/k", "this machine"),
            ("https://localhost/k", "this machine"),
            ("https://169.254.169.254/latest/meta-data", "metadata"),
            ("https://metadata.google.internal/", "metadata"),
            ("https://10.0.0.5/k", "private network"),
        ],
    )
    def test_where_nobody_may_send_us(self, url: str, reason: str):
        transport = FaultTransport(answers({}))
        with pytest.raises(SourceRefused, match=reason):
            Http.of(source(also=self.ALSO), transport=transport).fetch(url)
        assert transport.requests == []

    def test_a_host_that_is_not_listed_is_not_asked(self):
        transport = FaultTransport(answers({}))
        with pytest.raises(SourceRefused, match="not among those listed under `also`"):
            Http.of(source(also=["*.amazonaws.com"]), transport=transport).fetch("https://amazonaws.com.evil.test/k")
        with pytest.raises(SourceRefused, match=r"no host is listed under `also`|not among those"):
            Http.of(source(), transport=transport).fetch("https://b.s3.amazonaws.com/k")
        assert transport.requests == []

    def test_a_listed_one_gets_no_credential_and_sends_us_nowhere(self):
        transport = FaultTransport(lambda request: httpx2.Response(200, content=b"file"))
        http = Http.of(
            source(token=SECRET, also=["*.amazonaws.com"]), transport=transport, headers={"X-Workspace": "w"}
        )
        assert http.fetch("https://b.s3.amazonaws.com/k?X-Amz-Signature=abc") == b"file"
        assert "authorization" not in transport.requests[0].headers
        assert "x-workspace" not in transport.requests[0].headers
        moved = FaultTransport(lambda request: httpx2.Response(302, headers={"location": "https://c.amazonaws.com/"}))
        with pytest.raises(SourceError):
            Http.of(source(also=["*.amazonaws.com"]), transport=moved).fetch("https://b.s3.amazonaws.com/k")
        assert len(moved.requests) == 1


class TestRedaction:
    def test_a_platform_that_repeats_the_secret_does_not_get_it_into_our_message(self):
        body = {"error": f"token {SECRET} expired", "hint": "https://u:pw-in-url@h/x?sig=abcdef", "api_key": "k-123456"}
        transport = FaultTransport(answers(body, 403))
        with pytest.raises(Denied) as caught:
            Http.of(source(token=SECRET), transport=transport).get_json("/x")
        for secret in (SECRET, "pw-in-url", "abcdef", "k-123456"):
            assert secret not in str(caught.value)
        assert "expired" in str(caught.value)

    def test_nothing_secret_stands_in_a_log_or_a_representation(self, caplog: pytest.LogCaptureFixture):
        caplog.set_level(logging.DEBUG)
        transport = FaultTransport(lambda request: httpx2.Response(200, content=b"[]"))
        http = Http.of(source(token=SECRET, also=["*.amazonaws.com"]), transport=transport)
        http.get_json("/x", {"token": "in-a-query"})
        http.fetch("https://b.s3.amazonaws.com/k?X-Amz-Signature=signed-away")
        written = caplog.text + repr(http) + repr(vars(http))
        for secret in (SECRET, "in-a-query", "signed-away"):
            assert secret not in written

    def test_each_try_is_told_with_its_path(self):
        asked: list[tuple[str, str]] = []
        http = Http.of(
            source(),
            transport=FaultTransport(answers([])),
            on_request=lambda method, path: asked.append((method, path)),
        )
        http.get_json("/x", {"a": 1})
        assert asked == [("GET", "/p/x?a=1")]


class TestCertificates:
    def test_an_authority_that_is_none_is_a_matter_of_the_settings(self, tmp_path: Path):
        file = tmp_path / "ca.pem"
        with pytest.raises(Misconfigured, match=r"ca .*ca\.pem cannot be used \(No such file"):
            Http.of(source(ca=file))
        file.write_text("no certificate")
        with pytest.raises(Misconfigured, match="must be a file in PEM"):
            Http.of(source(ca=file))

    def test_our_own_certificate_too(self, tmp_path: Path):
        file = tmp_path / "client.pem"
        file.write_text("no certificate")
        with pytest.raises(Misconfigured, match=r"client_cert .* cannot be used"):
            Http.of(source(client_cert=file))
