"""Runs the service: opens what it stands on, listens on this machine, and stops without losing anything."""

import signal
import socket
import sys
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from types import FrameType

import uvicorn

from ..config.address import is_loopback
from ..config.errors import Misconfigured
from ..config.settings import Settings
from ..federation.graph import Graph
from ..federation.inquiry import Inquiry
from ..federation.schedule import Scheduler
from .app import create_app
from .connections import bounded
from .logs import log_as_json
from .opening import open_store, registry_of
from .services import Services
from .syncs import Syncs
from .tls import Certificate

_GRACE = 10
"""Seconds that open requests have when the server stops."""
_WAITING = 128
_SHARE = 0.75
"""What a walk may take of a question's time: better a part of the answer than none."""


def serve(settings: Settings, port: int | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Raises `Misconfigured` (a taken port too), `StoreUnavailable`."""
    with ExitStack() as held:
        listening = held.enter_context(_listen(settings.server.host, settings.server.port if port is None else port))
        certificate = Certificate(settings.server.tls) if settings.server.tls.cert is not None else None
        log_as_json()
        services = open_services(settings, held)
        _may_be_reached(services)
        host, number = listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        address = f"{'https' if certificate else 'http'}://{shown}:{number}"
        server = _server(services, certificate)
        held.enter_context(_stopping_gently(server))
        print(f"Watersmeet serves {address} (GraphQL: /graphql, OpenLineage: /api/v1/lineage)", flush=True)
        server.run(sockets=[listening])


def open_services(settings: Settings, held: ExitStack) -> Services:
    """The store, the graph, the pulls and their schedule; `held` closes them in turn. Raises `StoreUnavailable`."""
    store = held.enter_context(closing(open_store(settings)))
    graph, registry = Graph(store), registry_of(settings)
    syncs = held.enter_context(closing(Syncs(store, settings.path)))
    schedules = {source.id: source.schedule for source in settings.sources if source.schedule is not None}
    scheduler = Scheduler(store, schedules, syncs.run)
    scheduler.start()
    held.callback(scheduler.stop)
    return Services(
        settings=settings,
        store=store,
        graph=graph,
        inquiry=Inquiry(store, graph, registry=registry, budget=_SHARE * settings.server.limits.time),
        start_sync=syncs.start,
        registry=registry,
        next_sync=scheduler.next_run,
    )


class _Server(uvicorn.Server):
    """Minds a wish to stop that came before uvicorn listens to signals: it starts in full, and stops in full."""

    asked_to_stop = False

    async def main_loop(self) -> None:
        self.should_exit = self.should_exit or self.asked_to_stop
        await super().main_loop()


@contextmanager
def _stopping_gently(server: _Server) -> Generator[None]:
    """Let a signal end nothing but the server: what is open is closed after it has returned."""

    def obeyed(_number: int, _frame: FrameType | None) -> None:
        server.asked_to_stop = True

    before = {number: signal.signal(number, obeyed) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _may_be_reached(services: Services) -> None:
    """Beyond this machine only with a token in force. Raises `Misconfigured`."""
    host = services.settings.server.host
    if not is_loopback(host) and not services.store.tokens.valid():
        raise Misconfigured(
            f"server.host: {host} is reachable from other machines, and no token is in force: make one first "
            "(`watersmeet token create NAME --role admin`), or stay on 127.0.0.1"
        )


def _server(services: Services, certificate: Certificate | None) -> _Server:
    config = uvicorn.Config(
        create_app(services, certificate),
        access_log=False,  # `observed` writes a line a request
        log_config=None,
        proxy_headers=False,  # who is local must not be what a header says
        server_header=False,
        ssl_context_factory=(lambda _config, _default: certificate.context) if certificate else None,
        http=bounded(services.settings.server.connections, services.settings.server.silence.total_seconds()),
        ws="websockets-sansio",
        ws_max_size=services.settings.server.limits.body_bytes,
        timeout_graceful_shutdown=_GRACE,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
    )
    return _Server(config)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that a taken port is told before anything is opened."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP: only then does asyncio send at once, and not 40 ms later, when the client has acknowledged the head.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":  # there it would let two servers share a port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), port))
        listening.listen(_WAITING)
    except OSError as error:
        listening.close()
        raise Misconfigured(
            f"server.port: {host}:{port} cannot be listened on ({error.strerror}): another program has it? "
            "Name another port (server: {port: 8766}, or --port 8766; 0 takes a free one)"
        ) from error
    return listening
