"""What stands around the questions: health, numbers, headers, the console, the server itself."""

import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
import structlog

from watersmeet.api.server import serve as run_server
from watersmeet.config.settings import Misconfigured, Settings
from watersmeet.federation.errors import StoreUnavailable

from .conftest import Serve, Service


def test_the_process_and_the_store_say_that_they_are_there(service: Service):
    assert service.client.get("/healthz").json() == {"status": "ok"}
    assert service.client.get("/readyz").json() == {"status": "ok"}


def test_a_store_that_is_gone_is_told_by_readyz_and_not_by_healthz(service: Service, monkeypatch: pytest.MonkeyPatch):
    def gone() -> bool:
        raise StoreUnavailable("the disk is full. Make room on its disk")

    monkeypatch.setattr(service.store, "is_ready", gone)
    ready = service.client.get("/readyz")
    assert ready.status_code == 503
    assert "Make room" in ready.json()["reason"]
    assert service.client.get("/healthz").status_code == 200


def test_metrics_tell_requests_errors_and_what_the_store_holds(service: Service):
    service.post("{ nope }")
    service.store.journal.enqueue("tracking", False)
    text = service.client.get("/metrics").text
    assert 'watersmeet_requests_total{method="POST",path="/graphql",status="200"} 1.0' in text
    assert 'watersmeet_graphql_errors_total{code="BAD_INPUT"} 1.0' in text
    assert 'watersmeet_syncs{state="QUEUED"} 1.0' in text
    assert "watersmeet_inlet_lag_events 0.0" in text
    assert "watersmeet_dead_letters 0.0" in text


def test_paths_that_somebody_invents_do_not_fill_the_metrics(service: Service):
    for number in range(3):
        service.client.get(f"/invented/{number}")
    text = service.client.get("/metrics").text
    assert "invented" not in text
    assert 'watersmeet_requests_total{method="GET",path="other",status="404"} 3.0' in text


def test_every_answer_carries_careful_headers_and_an_id(service: Service):
    response = service.client.get("/healthz")
    assert response.headers["content-security-policy"].startswith("default-src 'self'")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])
    assert service.client.get("/healthz", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert service.client.get("/healthz", headers={"x-request-id": "a b"}).headers["x-request-id"] != "a b"


def test_the_log_has_a_line_for_each_request_and_never_the_question(service: Service):
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        response = service.client.get("/graphql", params={"query": '{ search(text: "s3cret") { total } }'})
    [line] = [line for line in lines if line["event"] == "request"]
    assert line["path"] == "/graphql"
    assert line["status"] == 200
    assert line["request_id"] == response.headers["x-request-id"]
    assert "s3cret" not in str(lines)


def test_the_console_asks_nobody_but_this_server(service: Service):
    page = service.client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for file in ("/", "/console.css", "/console.js"):
        text = service.client.get(file).text
        assert not re.search(r"""https?://|url\(|@import|["'(]//\w""", text), file


def test_the_console_needs_no_inline_script_or_style(service: Service):
    page = service.client.get("/").text
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page)
    assert "innerHTML" not in service.client.get("/console.js").text


def test_everything_in_the_console_that_takes_input_has_a_label(service: Service):
    page = service.client.get("/").text
    labelled = set(re.findall(r'<label for="(\w+)"', page))
    assert labelled == set(re.findall(r'<(?:textarea|select|input) id="(\w+)"', page))


def test_the_examples_of_the_console_are_questions_that_can_be_asked(service: Service):
    from graphql import parse, validate

    from watersmeet.api.graphql import Schema
    from watersmeet.config.settings import Limits

    schema = Schema(Limits())._schema  # pyright: ignore[reportPrivateUsage] - to validate without asking
    script = service.client.get("/console.js").text
    texts = re.findall(r'"((?:query|mutation|subscription|\{)[^"]*\\n[^"]*)"', script)
    texts += re.findall(r"INTROSPECTION = `([^`]*)`", script)
    assert len(texts) >= 10
    for text in texts:
        assert validate(schema, parse(text.replace("\\n", "\n"))) == [], text


def test_a_taken_port_is_told_before_anything_is_opened(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings.of({"store": {"url": f"sqlite:///{tmp_path / 'store.db'}"}, "server": {"port": port}})
        with pytest.raises(Misconfigured, match=rf"server\.port.*{port}.*--port"):
            run_server(settings)
    assert not (tmp_path / "store.db").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is no request there")
def test_a_real_server_answers_and_stops_at_once_when_it_is_asked_to(tmp_path: Path):
    program = (
        "from pathlib import Path\n"
        "from watersmeet.config.settings import Settings\n"
        "from watersmeet.api.server import serve\n"
        f"serve(Settings.of({{'store': {{'url': 'sqlite:///{tmp_path / 'store.db'}'}}, 'server': {{'port': 0}}}}))\n"
        "print('closed')\n"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
        assert found is not None
        answer = httpx2.post(f"{found[0]}/graphql", json={"query": "{ sources { name } }"}, trust_env=False)
        assert answer.json() == {"data": {"sources": [{"name": "inlet"}]}}
        spoofed = httpx2.get(f"{found[0]}/healthz", headers={"x-forwarded-for": "127.0.0.1"}, trust_env=False)
        assert spoofed.status_code == 403
        began = time.monotonic()
        server.terminate()
        out, err = server.communicate(timeout=15)
    finally:
        server.kill()
        server.wait()
    assert server.returncode == 0, err
    assert out.strip() == "closed"
    assert time.monotonic() - began < 10
    assert all(line.startswith("{") for line in err.splitlines()), err


def test_settings_of_the_service_are_those_it_was_given(serve: Serve):
    service = serve(server={"limits": {"introspection": False}})
    assert service.refused("{ __schema { types { name } } }")["setting"] == "server.limits.introspection"
