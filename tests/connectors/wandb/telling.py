"""A platform that answers what a test tells it to, by the name of the question."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx2

from watersmeet.config.settings import Source
from watersmeet.connectors.wandb.read import Wandb

KEY = "k" * 40
Answer = Mapping[str, Any] | httpx2.Response | Callable[[dict[str, Any]], Mapping[str, Any] | httpx2.Response]


def source(**more: Any) -> Source:
    """A source as it is configured."""
    return Source.model_validate(
        {"name": "lab", "platform": "wandb", "url": "https://api.wandb.ai", "token": KEY} | more
    )


class Platform:
    """Answers questions by their names; `asked` are (name, variables)."""

    def __init__(self, **answers: Answer) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[httpx2.Headers] = []
        self.waited: list[float] = []
        self._answers: dict[str, Answer] = {
            "Viewer": {"viewer": {"id": "U", "username": "ana", "entity": "acme"}, "serverInfo": {"features": []}},
            "Projects": projects("fraud"),
            "ProjectPage": page([]),
            "Besides": {"project": {"id": "P"}},
            "UpdatedFilter": {"project": {"id": "P", "future": 0, "all": 1}},
            **answers,
        }

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.headers.append(request.headers)
        if request.method == "GET":
            return self._given(str(request.url), {})
        body = json.loads(request.content)
        found = re.search(r"query Watersmeet(\w+)", body["query"])
        assert found is not None
        self.asked.append((found[1], body["variables"] | {"query": body["query"]}))
        return self._given(found[1], body["variables"] | {"query": body["query"]})

    def _given(self, name: str, variables: dict[str, Any]) -> httpx2.Response:
        if name == "Manifests" and name not in self._answers:
            return httpx2.Response(200, json={"data": None, "errors": [{"message": "one artifact at a time"}]})
        answer = self._answers[name]
        told = answer(variables) if callable(answer) else answer
        if isinstance(told, httpx2.Response):
            return told
        return httpx2.Response(200, json=told if "errors" in told else {"data": told})

    def connector(self, **more: Any) -> Wandb:
        """The connector that reads it."""
        return Wandb(source(**more), transport=httpx2.MockTransport(self), sleep=self.waited.append)

    def times(self, name: str) -> int:
        """How often that was asked."""
        return sum(asked == name for asked, _ in self.asked)


def projects(*names: str) -> dict[str, Any]:
    """What an entity has."""
    rows = [{"node": {"id": f"P{name}", "name": name, "entityName": "acme"}} for name in names]
    return {"entity": {"id": "E", "name": "acme"}, "models": {"edges": rows, "pageInfo": {"hasNextPage": False}}}


def page(runs: list[dict[str, Any]], *, count: int | None = None, after: str = "", **parts: Any) -> dict[str, Any]:
    """A page of runs."""
    info = {"hasNextPage": bool(after), "endCursor": after or None}
    listing = {"edges": [{"node": one} for one in runs], "pageInfo": info}
    return {"project": {"id": "P", "runCount": len(runs) if count is None else count, "runs": listing, **parts}}


def run(name: str, **more: Any) -> dict[str, Any]:
    """A run as it is told."""
    nothing = {"totalCount": 0, "edges": [], "pageInfo": {"hasNextPage": False}}
    return {
        "id": f"R{name}",
        "name": name,
        "state": "finished",
        "createdAt": "2026-08-01T00:00:00Z",
        "heartbeatAt": "2026-08-01T01:00:00",
        "config": "{}",
        "summaryMetrics": "{}",
        "inputArtifacts": nothing,
        "outputArtifacts": nothing,
    } | more
