"""The service as one ASGI app: which path leads where, and what runs beside the requests."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route, WebSocketRoute

from ..federation.graph import Graph
from ..federation.store.events import Appended
from ..federation.sync import project_events
from .access import Access, Gate
from .console import PAGES
from .graphql import Endpoint
from .health import Health
from .inlet import Follower, Inlet, Intake
from .metrics import Metrics, Size
from .observed import Observed
from .services import Services
from .tls import Certificate


def create_app(services: Services, certificate: Certificate | None = None) -> Starlette:
    """The app over these services, which stay the caller's to close."""
    settings, store = services.settings, services.store
    metrics = Metrics()
    metrics.watch(store, settings.inlet.id, partial(_size, services.graph))
    follower = Follower(partial(project_events, store, settings.inlet.id, services.registry))

    def heard(appended: Appended) -> None:
        metrics.events("new", appended.new)
        metrics.events("duplicate", appended.duplicates)
        if appended.new:
            follower.wake()

    intake = Intake(store, settings.inlet.id, heard=heard)
    inlet = Inlet(store, settings.inlet, intake, metrics)

    health = Health(store, metrics)
    access = Access(settings.server, store)
    endpoint = Endpoint(services, metrics, access)
    pages = PAGES if settings.server.console else ()
    routes = _routes(endpoint, inlet, health, pages)
    paths = frozenset(route.path for route in routes if isinstance(route, Route | WebSocketRoute))
    access.know(paths)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        intake.start()
        follower.start()
        tending = [asyncio.create_task(access.tend())]
        if certificate is not None:
            tending.append(asyncio.create_task(certificate.follow()))
        try:
            yield
        finally:
            for task in tending:
                task.cancel()
            await asyncio.to_thread(access.settle, all_of_it=True)
            endpoint.close()
            inlet.close()
            await asyncio.to_thread(intake.stop)
            await asyncio.to_thread(follower.stop)

    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(Observed, metrics=metrics, paths=paths),
            Middleware(Gate, access=access),
        ],
    )


def _routes(endpoint: Endpoint, inlet: Inlet, health: Health, pages: Sequence[BaseRoute]) -> list[BaseRoute]:
    return [
        *pages,
        Route("/graphql", endpoint.answer, methods=["GET", "POST"]),
        WebSocketRoute("/graphql", endpoint.watch),
        Route("/api/v1/lineage", inlet.one, methods=["POST"]),
        Route("/api/v1/lineage/batch", inlet.many, methods=["POST"]),
        Route("/healthz", health.alive, methods=["GET"]),
        Route("/readyz", health.ready, methods=["GET"]),
        Route("/metrics", health.metrics, methods=["GET"]),
    ]


def _size(graph: Graph) -> Size | None:
    """Of the graph as it was last asked; None before anybody did."""
    snapshot = graph.newest
    return None if snapshot is None else Size(len(snapshot.things.ids), len(snapshot.claims.id))
