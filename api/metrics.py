"""Numbers for Prometheus, in a registry of our own."""

from collections import Counter as Tally
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..federation.model import LetterState, SyncState
from ..federation.store import Store
from ..federation.sync import lag

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "WEBSOCKET"})
_SECONDS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0)


class Metrics:
    """What is counted while it happens; what the store knows is asked for when somebody looks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "watersmeet_requests",
            "Requests by path, method and status.",
            ("path", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "watersmeet_request_seconds",
            "How long requests took; a WebSocket as long as it was open.",
            ("path",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._errors = Counter(
            "watersmeet_graphql_errors", "Errors in answers, by their code.", ("code",), registry=self.registry
        )
        self._events = Counter(
            "watersmeet_events_received",
            "Posted OpenLineage events: new, duplicate, refused, or turned away for now.",
            ("outcome",),
            registry=self.registry,
        )

    def request(self, path: str, method: str, status: int, seconds: float) -> None:
        """A request has ended."""
        self._requests.labels(path, method if method in _METHODS else "other", str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def error(self, code: str) -> None:
        """An answer held an error."""
        self._errors.labels(code).inc()

    def events(self, outcome: str, count: int = 1) -> None:
        """Events have come in."""
        self._events.labels(outcome).inc(count)

    def watch(self, store: Store, inlet: str, size: Callable[[], "Size | None"]) -> None:
        """Tell also what the store knows; `size` says how large the graph is, as far as it is loaded."""
        self.registry.register(_Stored(store, inlet, size))

    def text(self) -> bytes:
        """All of it as Prometheus reads it. Raises `StoreUnavailable`."""
        return generate_latest(self.registry)


@dataclass(frozen=True, slots=True)
class Size:
    """How much a graph holds."""

    assets: int
    claims: int


class _Stored(Collector):
    def __init__(self, store: Store, inlet: str, size: Callable[[], Size | None]) -> None:
        self._store = store
        self._inlet = inlet
        self._size = size

    def describe(self) -> Iterator[Metric]:
        """Nothing ahead of time: describing must not need the store."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """What the store says now."""
        journal = self._store.journal
        newest = [next(iter(journal.syncs(row.id, first=1)), None) for row in journal.sources() if not row.removed_at]
        states = Tally(row.state for row in newest if row is not None)
        syncs = GaugeMetricFamily("watersmeet_syncs", "Sources by the state of their newest sync.", labels=["state"])
        for state in SyncState:
            syncs.add_metric([state.value], states[state])
        yield syncs
        letters = self._store.letters.count(state=LetterState.WAITING)
        yield GaugeMetricFamily("watersmeet_dead_letters", "Events that could not be taken, and wait.", letters)
        waiting = lag(self._store, self._inlet)
        yield GaugeMetricFamily("watersmeet_inlet_lag_events", "Posted events not in the graph yet.", waiting)
        yield GaugeMetricFamily("watersmeet_change_log_head", "The newest change.", self._store.reader.head())
        size = self._size()
        if size is not None:
            yield GaugeMetricFamily("watersmeet_graph_assets", "Assets in the graph.", size.assets)
            yield GaugeMetricFamily("watersmeet_graph_claims", "Edge claims in the graph.", size.claims)
