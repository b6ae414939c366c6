"""A service with a token of each role, and ways to show them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.testclient import TestClient, WebSocketTestSession

from watersmeet.api.access import Role, make
from watersmeet.federation.clock import utcnow

from .conftest import EVENT, HERE, PEER, Service

FAR = ("203.0.113.9", 50000)
SOCKET = "ws://127.0.0.1:8765/graphql"


BODIES: dict[str, Any] = {"/api/v1/lineage": EVENT, "/api/v1/lineage/batch": [EVENT]}
"""What a path wants to be posted."""


@dataclass(frozen=True, slots=True)
class Told:
    """One answer."""

    status: int
    text: str
    headers: Any

    @property
    def code(self) -> str | None:
        """The code of its one error."""
        import json

        try:
            return json.loads(self.text)["errors"][0]["extensions"]["code"]
        except (ValueError, KeyError, TypeError):
            return None


def token(service: Service, role: str, name: str = "", expires_at: datetime | None = None) -> str:
    """Make a token of this role, as the command line does."""
    now = utcnow()
    made = expires_at - timedelta(days=1) if expires_at else now
    text, row = make(name or f"{role} {len(service.store.tokens.all())}", Role(role), made, expires_at)
    service.store.tokens.create(row, by="tests")
    return text


def id_of(text: str) -> str:
    """The public part."""
    return text.split("_")[1]


def ask(
    service: Service,
    path: str = "/graphql",
    text: str | None = None,
    method: str | None = None,
    peer: tuple[str, int] = FAR,
    body: Any = None,
    **headers: str,
) -> Told:
    """A request from another machine (or `peer`), with a token."""
    client = TestClient(service.client.app, base_url=HERE, client=peer, follow_redirects=False)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if text is not None:
        sent.setdefault("authorization", f"Bearer {text}")
    if method is None:
        method = "POST" if body is not None or path.startswith(("/graphql", "/api")) else "GET"
    if body is None and path == "/graphql" and method == "POST":
        body = {"query": "{ sources { name } }"}
    response = client.request(method, path, json=body, headers=sent)
    return Told(response.status_code, response.text, response.headers)


def connect(
    service: Service, text: str | None = None, peer: tuple[str, int] = PEER, **more: str
) -> WebSocketTestSession:
    """A WebSocket, whose handshake shows the token."""
    headers = {"authorization": f"Bearer {text}"} if text else {}
    client = TestClient(service.client.app, base_url=HERE, client=peer)
    headers.update({name.replace("_", "-"): value for name, value in more.items()})
    return client.websocket_connect(SOCKET, subprotocols=["graphql-transport-ws"], headers=headers)
