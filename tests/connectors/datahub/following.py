"""Reading one catalogue of the tests again and again."""

from datetime import timedelta
from typing import Any

from ..conftest import NOW, Told
from .catalog import URL, Catalog
from .conftest import Connect
from .names import dataset

A, B, C = dataset("db.a"), dataset("db.b"), dataset("db.c")
RUN = "urn:li:dataProcessInstance:r"
DAY = timedelta(days=1)


def three() -> Catalog:
    """Three datasets, one made of another."""
    made = Catalog()
    made.put(A, "datasetProperties", {"name": "a"})
    made.put(A, "upstreamLineage", {"upstreams": [{"dataset": B, "type": "COPY"}]})
    made.put(B, "datasetProperties", {"name": "b"})
    made.put(C, "datasetProperties", {"name": "ü"})
    return made


class Reader:
    """Reads one catalogue again and again."""

    def __init__(self, catalog: Catalog, connect: Connect) -> None:
        self._catalog = catalog
        self._connect = connect
        self._since: Any = None
        self.now = NOW

    def __call__(self, after: timedelta = timedelta(0), *, since: bool = True, **settings: Any) -> Told:
        self.now += after
        connector = self._connect(URL, now=self.now, transport=self._catalog.transport, **settings)
        told = Told.by(connector.read(self._since if since else None))
        self._since = told.cursor
        return told
