"""Connections that ask slowly, not at all, or nonsense: none of them keeps others from being served."""

import contextlib
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from ..e2e.service import Service, wait_for
from ..scale import how_many
from .test_inlet_posting import event

Start = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server with these sections of the settings."""
    with contextlib.ExitStack() as held:

        def begin(**sections: Any) -> Service:
            service = Service(tmp_path)
            told = yaml.safe_load(service.config.read_text())
            for name, values in sections.items():
                told[name] = told.get(name, {}) | values
            service.config.write_text(yaml.safe_dump(told))
            return held.enter_context(service)

        yield begin


def connected(service: Service) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", service.port), timeout=60)
    one.settimeout(60)
    return one


def is_served(service: Service, number: int = 0) -> bool:
    answer = httpx2.post(f"{service.url}/api/v1/lineage", json=event(number), trust_env=False, timeout=60)
    return answer.status_code == 201


def rest_of(one: socket.socket) -> bytes:
    """All that still comes, until it is closed."""
    told = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := one.recv(65536):
            told += piece
    return bytes(told)


HEAD = (
    b"POST /api/v1/lineage HTTP/1.1\r\nHost: localhost:%d\r\n"
    b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n"
)


def test_a_body_that_comes_byte_by_byte_is_given_up_in_time(start: Start):
    service = start(inlet={"arrival": "1s"})
    slow = [connected(service) for _ in range(20)]
    for one in slow:
        one.sendall(HEAD % service.port + b"{")
    with contextlib.suppress(ConnectionError):
        for _ in range(8):
            for one in slow:
                one.sendall(b" ")
            time.sleep(0.05)
    assert is_served(service)
    for one in slow:
        told = rest_of(one)
        assert told.startswith(b"HTTP/1.1 408 ")
        assert b"the body did not arrive within 1 s" in told
        one.close()


@pytest.mark.parametrize("said", [b"", b"POST /api/v1/lineage HTTP/1.1\r\nHost: loc", b"GET /healthz HTTP/1.1\r\n"])
def test_a_connection_that_does_not_say_what_it_wants_is_closed(start: Start, said: bytes):
    service = start(server={"silence": "500ms"})
    with connected(service) as silent:
        silent.sendall(said)
        assert rest_of(silent) == b""
    assert is_served(service)


def test_a_head_that_comes_drop_by_drop_behind_a_good_request_is_closed_too(start: Start):
    service = start(server={"silence": "1s"})
    with connected(service) as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % service.port)
        assert b"200 OK" in one.recv(65536)
        with contextlib.suppress(ConnectionError):
            for _ in range(how_many(quick=40, ci=40, long=40)):
                one.sendall(b"G")
                time.sleep(0.05)
        rest_of(one)
    assert is_served(service)


@pytest.mark.hard
def test_a_thousand_idle_connections_keep_nobody_out_for_long(start: Start):
    service = start(server={"connections": 300, "silence": "3s"})
    many = how_many(quick=400, ci=1000, long=1000)
    with contextlib.ExitStack() as held:
        idle = [held.enter_context(connected(service)) for _ in range(many)]
        refused = idle[-1].recv(65536)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"`server.connections` sets that" in refused

        def gets_in() -> bool:
            with contextlib.suppress(httpx2.HTTPError):
                return is_served(service)
            return False

        wait_for(gets_in, "room for somebody who asks")
    assert '"level": "error"' not in service.log()


GARBAGE = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/9.9\r\nConnection: close\r\n\r\n",
    b"POST /api/v1/lineage HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /api/v1/lineage HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /api/v1/lineage HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\nhello\r\n0\r\n\r\n",
    b"POST /api/v1/lineage HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 50_000,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \x00\r\n\r\n",
    b"\r\n" * 1000,
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200 + b"\x00garbage\r\n\r\n",
    b"POST /api/v1/lineage HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Expect: maybe\r\nContent-Length: 99999999999999999\r\n\r\n",
)


@pytest.mark.hard
def test_nonsense_on_the_socket_is_refused_and_nothing_else_happens(start: Start):
    service = start(server={"silence": "500ms"}, inlet={"arrival": "1s"})
    rng = random.Random(1)
    noise = [rng.randbytes(rng.choice((1, 10, 300, 70_000))) for _ in range(how_many(quick=20, ci=100, long=3000))]
    for said in (*GARBAGE, *noise):
        with connected(service) as one, contextlib.suppress(ConnectionError):
            one.sendall(said)
            told = rest_of(one)
            assert told == b"" or told.startswith(b"HTTP/1.1 ")
            assert b" 500 " not in told.split(b"\r\n")[0]
    assert is_served(service)
    log = service.log()
    assert "Traceback" not in log
    assert "exc_type" not in log
