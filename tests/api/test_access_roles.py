"""Each role goes through its doors and no others; no door stands without an entry."""

from typing import Any

import pytest
from starlette.routing import Route, WebSocketRoute

from watersmeet.api.access import DOORS, OPEN, Role, known, may
from watersmeet.api.graphql import Schema
from watersmeet.config.settings import Limits

from .access import BODIES, ask, token
from .conftest import Service

ALLOWED = {
    "/graphql": {"viewer", "steward", "admin"},
    "/metrics": {"viewer", "steward", "admin"},
    "/api/v1/lineage": {"steward", "admin", "inlet"},
    "/api/v1/lineage/batch": {"steward", "admin", "inlet"},
    "Mutation.sync": {"steward", "admin"},
    "Subscription.syncs": {"viewer", "steward", "admin"},
    "Subscription.changes": {"viewer", "steward", "admin"},
}
"""The table again, as people would say it: whoever changes a right changes it twice."""
CALLS = {"Mutation.sync": 'mutation { sync(source: "tracking") { id } }'}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are looked up at every request, so that no test waits."""
    monkeypatch.setattr(known, "FRESH", 0.0)


def fields(kind: str) -> set[str]:
    schema: Any = Schema(Limits())._schema  # pyright: ignore[reportPrivateUsage] - to see what there is
    found = schema.mutation_type if kind == "Mutation" else schema.subscription_type
    return {f"{kind}.{name}" for name in found.fields}


def test_every_path_mutation_and_subscription_has_an_entry(service: Service):
    app: Any = service.client.app
    paths = {route.path for route in app.routes if isinstance(route, Route | WebSocketRoute)}
    assert set(DOORS) == (paths - OPEN) | fields("Mutation") | fields("Subscription")
    assert set(DOORS) == set(ALLOWED)


@pytest.mark.parametrize("door", ALLOWED)
def test_the_table_says_who_may(door: str):
    assert {role.value for role in Role if may(role, door)} == ALLOWED[door]


def test_what_has_no_entry_is_for_admins():
    assert [role for role in Role if may(role, "Mutation.forget")] == [Role.ADMIN]


@pytest.mark.parametrize("role", Role)
def test_each_role_is_let_through_its_doors_alone(service: Service, role: Role):
    """OpenLineage, receive check 15."""
    text = token(service, role.value)
    for door, roles in ALLOWED.items():
        if door.startswith("/"):
            told = ask(service, door, text, body=BODIES.get(door))
        elif door in CALLS:
            told = ask(service, "/graphql", text, body={"query": CALLS[door]})
        else:
            continue  # subscriptions go by WebSocket, which is a door itself
        if role.value in roles:
            assert told.status in (200, 201), (door, told.text)
            assert told.code is None, (door, told.text)
        else:
            assert told.code == "FORBIDDEN", (door, told.text)
            assert '"needed":' in told.text
    assert ask(service, "/nowhere", text).status == (403 if role is Role.INLET else 404)


def test_what_is_refused_by_role_names_the_role_and_stands_in_the_audit_log(service: Service):
    told = ask(service, text=token(service, "viewer", "eve"), body={"query": CALLS["Mutation.sync"]})
    assert "needs the role steward" in told.text
    assert service.store.journal.syncs() == []
    [row] = service.store.audit.entries(what="refused")
    assert row.by.endswith("(eve)")
    assert row.detail == {"door": "Mutation.sync", "reason": "needs the role steward"}


def test_no_alias_fragment_or_batch_gets_around_a_role(service: Service):
    text = token(service, "viewer")
    tricks = [
        'mutation { a: sync(source: "tracking") { id } }',
        'mutation { ...F } fragment F on Mutation { sync(source: "tracking") { id } }',
        'mutation { ... on Mutation { sync(source: "tracking") { id } } }',
        'mutation { ... @include(if: true) { sync(source: "tracking") { id } } }',
    ]
    for trick in tricks:
        assert ask(service, text=text, body={"query": trick}).code == "FORBIDDEN", trick
    told = ask(service, text=text, body=[{"query": "{ __typename }"}, {"query": tricks[0]}])
    assert "FORBIDDEN" in told.text
    assert service.store.journal.syncs() == []


def test_an_unknown_role_of_a_newer_version_opens_nothing(service: Service):
    from watersmeet.api.access import make
    from watersmeet.federation.clock import utcnow

    text, row = make("new", Role.ADMIN, utcnow())
    object.__setattr__(row, "role", "auditor")
    service.store.tokens.create(row, by="tests")
    assert ask(service, text=text).status == 401
