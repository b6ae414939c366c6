"""Without tokens every path refuses every way in which somebody else may pose as this machine."""

from typing import Any

import pytest
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import WebSocketDenialResponse

from .access import BODIES, ask, connect
from .conftest import PEER, Serve, Service

FORGED: dict[str, dict[str, Any]] = {
    "another machine": {"peer": ("192.0.2.7", 1)},
    "another machine, mapped": {"peer": ("::ffff:192.0.2.7", 1)},
    "no address": {"peer": ("testclient", 1)},
    "a name that leads here now (DNS rebinding)": {"host": "evil.example:8765", "origin": "http://evil.example:8765"},
    "a wildcard name for loopback": {"host": "127.0.0.1.nip.io:8765"},
    "another port": {"host": "localhost:8766"},
    "no port": {"host": "localhost"},
    "a page elsewhere": {"origin": "https://evil.example"},
    "a page on another port": {"origin": "http://localhost:3000"},
    "a sandboxed page": {"origin": "null"},
    "the other scheme": {"origin": "https://localhost:8765"},
    "sent by another site": {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
    "sent by another port": {"sec_fetch_site": "same-site", "sec_fetch_mode": "cors"},
    "sent by a frame": {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"},
    "Forwarded": {"forwarded": "for=127.0.0.1"},
    "X-Forwarded-For": {"x_forwarded_for": "127.0.0.1"},
    "X-Forwarded-Host": {"x_forwarded_host": "localhost:8765"},
    "X-Forwarded-Something": {"x_forwarded_something": "x"},
    "X-Real-IP": {"x_real_ip": "127.0.0.1"},
    "Via": {"via": "1.1 proxy"},
}


def paths(service: Service) -> list[str]:
    app: Any = service.client.app
    found = {route.path for route in app.routes if isinstance(route, Route | WebSocketRoute)}
    return sorted(found | {"/nowhere"})


@pytest.mark.parametrize("how", FORGED)
def test_every_path_refuses_it(service: Service, how: str):
    for path in paths(service):
        forged: dict[str, Any] = {"peer": PEER, **FORGED[how]}
        told = ask(service, path, body=BODIES.get(path), **forged)
        assert (told.status, told.code) == (403, "FORBIDDEN"), path
        assert "server." in told.text, path
    assert service.store.journal.syncs() == []
    assert len(service.store.audit.entries(what="refused")) >= len(paths(service)) - 1


@pytest.mark.parametrize("how", FORGED)
def test_the_handshake_of_a_websocket_refuses_it(service: Service, how: str):
    with pytest.raises(WebSocketDenialResponse) as refused, connect(service, **FORGED[how]):
        pass
    assert refused.value.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:8765", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none", "sec_fetch_mode": "navigate"},
    ],
)
def test_this_machine_and_its_own_pages_are_let_in(service: Service, headers: dict[str, str]):
    for path in paths(service):
        told = ask(service, path, body=BODIES.get(path), peer=PEER, **headers)
        assert told.status in (200, 201) or path == "/nowhere", (path, told.text)


def test_a_link_to_the_console_may_be_followed_and_one_to_a_query_may_not(service: Service):
    followed = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert ask(service, "/", method="GET", peer=PEER, **followed).status == 200
    assert ask(service, "/graphql?query={__typename}", method="GET", peer=PEER, **followed).status == 403


def test_a_proxy_that_is_believed_makes_nobody_local(serve: Serve):
    service = serve(server={"trusted_proxies": ["127.0.0.1"]})
    assert ask(service, peer=PEER, x_forwarded_for="127.0.0.1").status == 403


def test_a_token_where_none_was_ever_made_is_no_reason_to_refuse(service: Service):
    assert ask(service, text="whatever-an-emitter-sends", peer=PEER).status == 200
