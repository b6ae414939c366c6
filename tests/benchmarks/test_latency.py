"""How long a caller waits, against the same server asked another way: medians of interleaved rounds of one run."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from watersmeet.connectors.marquez.sandbox import Sandbox

from ..e2e.service import Service

ROUNDS = 40


def waited(ask: Callable[[httpx2.Client], httpx2.Response]) -> float:
    """How many times longer a kept connection is waited for than a new one."""
    kept: list[float] = []
    new: list[float] = []
    with httpx2.Client() as client:
        assert ask(client).status_code == 200
        for _ in range(ROUNDS):
            began = time.perf_counter()
            ask(client)
            kept.append(time.perf_counter() - began)
            began = time.perf_counter()
            with httpx2.Client() as once:
                ask(once)
            new.append(time.perf_counter() - began)
    return statistics.median(kept) / statistics.median(new)


def test_a_kept_connection_is_not_waited_for_longer_than_a_new_one(tmp_path: Path) -> None:
    """A server that does not send at once waits 40 ms on each but the first answers, until the client acknowledges."""
    query: dict[str, Any] = {"query": "{ __typename }"}
    with Service(tmp_path) as service:
        ratio = waited(lambda client: client.post(f"{service.url}/graphql", json=query))
    print(f"\n  an answer over a kept connection takes {ratio:.2f}x of one over a new one")
    assert ratio < 1.2


def test_nor_is_that_of_a_platform_in_miniature() -> None:
    with Sandbox() as sandbox:
        ratio = waited(lambda client: client.get(f"{sandbox.url}/api/v1/namespaces"))
    print(f"\n  in a miniature: {ratio:.2f}x")
    assert ratio < 1.2
