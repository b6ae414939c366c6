"""A folder of OpenLineage events, for the contract."""

import gzip
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from watersmeet.connectors import story
from watersmeet.connectors.openlineage.read import OpenLineage

from .house import House
from .marquez_house import DAY, edited, event, leaking

_NO_HTTP = "files are not asked for over HTTP, so nothing of the kind can happen; docs/failures.md shows what can"


class OpenLineageHouse(House):
    """The pipelines of the churn model, as their tools wrote them into files."""

    platform = "openlineage"
    name = "events"
    root = "s3://lake/features/customer_features"
    small: ClassVar[Mapping[str, Any]] = {}
    cannot: ClassVar[Mapping[str, str]] = {
        "test_a_fault_that_passes_is_waited_out": _NO_HTTP,
        "test_an_empty_page_is_not_the_end": _NO_HTTP,
        "test_what_exclude_newly_hides_is_withheld_and_comes_back_the_same": "files are read whole: what of them is "
        "read is said by their path, and `exclude` is no setting of theirs",
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0
        self.lines("story.ndjson", *story.events("tracking:5000"))

    @classmethod
    @contextmanager
    def opened(cls) -> Generator["OpenLineageHouse"]:
        with TemporaryDirectory() as folder:
            yield cls(Path(folder))

    @property
    def address(self) -> str:
        return str(self.folder)

    @property
    def asked(self) -> int:
        return 0

    def connect(self, now: datetime, **settings: Any) -> OpenLineage:
        # Files are as old as this minute: a reader an hour later finds them quiet.
        return OpenLineage(self.source(**settings), clock=lambda: now + timedelta(hours=1))

    def mend(self) -> None:
        """Back to the story alone."""
        away = self.folder.with_name(f"{self.folder.name}-away")
        if away.exists():
            away.rename(self.folder)
        for one in self.folder.iterdir():
            if one.name != "story.ndjson":
                one.unlink()

    def lines(self, name: str, *events: Any) -> None:
        """Append events to a file."""
        path = self.folder / name
        with gzip.open(path, "ab") if name.endswith(".gz") else path.open("ab") as file:
            file.write(b"".join(json.dumps(one).encode() + b"\n" for one in events))

    # What people do

    def grow(self, number: int) -> None:
        some = []
        for _ in range(number):
            self._made += 1
            some.append(event("daily", DAY + timedelta(hours=self._made)))
        for start in range(0, len(some), 5):
            self.lines(f"grown-{self._made:06}-{start:06}.ndjson", *some[start : start + 5])

    def edit(self, choice: int) -> None:
        self._made += 1
        told = edited(choice, self._made)
        match choice % 4:
            case 0:
                self.lines(f"one-{self._made}.json", told)
            case 1:
                self.lines(f"packed-{choice % 3}.ndjson.gz", told)
            case 2:
                self._rewrite("rewritten.ndjson", told)
            case _:
                self.lines("story.ndjson", told)

    def add(self, name: str, at: datetime) -> str:
        self.lines(f"{name}.ndjson", event(name, at))
        return f"job:shop/{name}"

    def huge(self, name: str, size: int) -> str:
        self.lines(f"{name}.ndjson", event(name, DAY, facets={"acme_custom": {"text": "x" * size}}))
        return f"job:shop/{name}"

    def plant(self, secret: str) -> None:
        self.lines("leaky.ndjson", leaking(secret), {"eventType": "COMPLETE", "password": secret})
        with (self.folder / "leaky.ndjson").open("a") as file:
            file.write(f'{{"broken": "postgres://ada:{secret}@db/x", "api_key": "{secret}"\n')

    def trip(self, secret: str) -> None:
        (self.folder / "broken.json.gz").write_bytes(gzip.compress(f"token={secret} ".encode() * 500)[:60])

    def unknown(self, name: str) -> None:
        facet = {"_producer": "p", "_schemaURL": "s", "grain": [1, {"a": None}]}
        self.lines("odd.ndjson", event("odd", DAY, facets={name: facet}))

    def _rewrite(self, name: str, told: Any) -> None:
        path = self.folder / name
        before = path.read_text().splitlines() if path.exists() else []
        path.write_text("\n".join([json.dumps(told), *before]) + "\n")
