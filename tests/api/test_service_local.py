"""Without tokens only this machine may ask, and no browser may be used as its hand."""

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse

from .conftest import HERE, PEER, Serve, Service

PATHS = ["/", "/graphql?query={__typename}", "/healthz", "/readyz", "/metrics", "/nowhere"]


def told(service: Service, path: str = "/healthz", peer: tuple[str, int] = PEER, **headers: str) -> tuple[int, str]:
    client = TestClient(service.client.app, base_url=HERE, client=peer)
    response = client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return response.status_code, response.text


@pytest.mark.parametrize("path", PATHS)
def test_every_path_refuses_a_host_that_is_not_ours(service: Service, path: str):
    status, text = told(service, path, host="evil.example:8765")
    assert status == 403
    assert "server.allowed_hosts" in text


@pytest.mark.parametrize("path", ["/api/v1/lineage", "/api/v1/lineage/batch", "/graphql"])
def test_posts_from_a_foreign_page_are_refused(service: Service, path: str):
    response = service.client.post(path, json={}, headers={"origin": "https://evil.example"})
    assert response.status_code == 403
    assert "server.allowed_hosts" in response.text


@pytest.mark.parametrize("host", ["localhost:8765", "LOCALHOST:8765", "127.0.0.1:8765", "[::1]:8765"])
def test_the_names_of_this_machine_are_welcome(service: Service, host: str):
    assert told(service, host=host)[0] == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "localhost:8766", "127.0.0.1.nip.io:8765", ""])
def test_another_port_or_name_is_not_ours(service: Service, host: str):
    assert told(service, host=host)[0] == 403


def test_a_page_of_ours_may_ask_and_the_null_origin_may_not(service: Service):
    assert told(service, origin="http://localhost:8765")[0] == 200
    assert told(service, origin="null")[0] == 403
    assert told(service, origin="http://localhost:9999")[0] == 403


@pytest.mark.parametrize("name", ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "via"])
def test_whatever_comes_through_a_proxy_is_refused(service: Service, name: str):
    status, text = told(service, "/healthz", PEER, **{name: "127.0.0.1"})
    assert status == 403
    assert "proxy" in text
    assert "server.host" in text


@pytest.mark.parametrize("peer", ["192.168.1.5", "::ffff:10.0.0.1", "testclient"])
def test_another_machine_is_refused(service: Service, peer: str):
    status, text = told(service, peer=(peer, 4000))
    assert status == 403
    assert "server.host" in text


@pytest.mark.parametrize("peer", ["127.0.0.7", "::1", "::ffff:127.0.0.1"])
def test_every_loopback_address_is_this_machine(service: Service, peer: str):
    assert told(service, peer=(peer, 4000))[0] == 200


def test_a_further_host_can_be_allowed(serve: Serve):
    service = serve(server={"allowed_hosts": ["watersmeet.test:8765"]})
    assert told(service, host="watersmeet.test:8765", origin="http://watersmeet.test:8765")[0] == 200
    assert told(service, host="watersmeet.test")[0] == 403


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"via": "1.1 proxy"}])
def test_the_handshake_of_a_websocket_is_refused_likewise(service: Service, headers: dict[str, str]):
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        service.client.websocket_connect(
            "ws://127.0.0.1:8765/graphql", subprotocols=["graphql-transport-ws"], headers=headers
        ),
    ):
        pass
    assert refused.value.status_code == 403
    assert "server." in refused.value.text


@pytest.mark.parametrize("path", ["/graphql", "/api/v1/lineage", "/api/v1/lineage/batch"])
def test_no_answer_opens_itself_to_other_origins(service: Service, path: str):
    """OpenLineage, receive check 15: CORS is closed, for a preflight and for the request itself."""
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    answers = [
        (service.client.options(path, headers={"origin": "http://localhost:8765", **asks}), 405),
        (service.client.options(path, headers={"origin": "https://evil.example", **asks}), 403),
        (service.client.post(path, json={}, headers={"origin": "https://evil.example"}), 403),
    ]
    for response, status in answers:
        assert response.status_code == status
        assert not [name for name in response.headers if name.startswith("access-control")]
