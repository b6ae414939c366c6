"""How exported events go to a receiver over HTTP: in order, each until it is taken or refused."""

import gzip
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

import orjson

from ..connectors.http import Absent, Answer, Denied, Failing, Http, Rejected
from ..federation.errors import SourceRefused
from ..federation.openlineage import Event, encode
from .delivered import Delivered

ONE = "/api/v1/lineage"
MANY = "/api/v1/lineage/batch"
NOT_SENT = 0
"""The status of an event that would have harmed the receiver."""
_BATCH_BYTES = 2**20
"""A batch ends before it is larger, as JSON."""
_FAILURES = 5
"""So many events in a row that end in 500 are the receiver's trouble, not theirs."""
_ADDRESS_WRONG = (405, 415)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that the receiver will not take."""

    number: int
    """Its place in the export, from 1."""
    status: int
    reason: str
    event: Event


@dataclass(slots=True)
class Tally:
    """How far an export is, in events."""

    sent: int = 0
    """Acknowledged now."""
    before: int = 0
    """Acknowledged by an earlier export, and not sent again."""
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Due:
    number: int
    event: Event
    body: bytes
    digest: bytes


class Push:
    """One export to one receiver."""

    def __init__(
        self,
        http: Http,
        delivered: Delivered,
        *,
        batch: int = 1,
        zipped: bool = False,
        refused: Callable[[Refusal], None],
        objection: Callable[[Event], str | None] = lambda event: None,
        tell: Callable[[Tally], None] = lambda tally: None,
    ) -> None:
        """`batch`: events a request at most, one by one with 1. `zipped`: the client says that bodies are gzip.

        `refused` is told each event that is not taken, `tell` how far it is. `objection`: why an event would harm the
        receiver; it is not sent, and counts as refused.
        """
        self._http = http
        self._delivered = delivered
        self._batch = batch
        self._zipped = zipped
        self._refused = refused
        self._objection = objection
        self._tell = tell
        self._failures = 0
        self.tally = Tally()

    def send(self, events: Iterable[Event]) -> Tally:
        """Send what was not acknowledged before. Raises `SourceError`: what was acknowledged until then is remembered.

        What a run has left follows in order whenever something of it is sent: receivers like Marquez believe the last.
        """
        for some in _batches(self._due(events), self._batch):
            if len(some) == 1:
                self._alone(some[0])
            else:
                self._together(some)
            self._tell(self.tally)
        return self.tally

    def _due(self, events: Iterable[Event]) -> Iterator[_Due]:
        again: str | None = None
        for number, event in zip(count(1), events, strict=False):
            body = encode(event)
            digest = hashlib.sha256(body).digest()[:16]
            run = event.get("run", {}).get("runId")
            if digest in self._delivered and (run is None or run != again):
                self.tally.before += 1
                continue
            if (reason := self._objection(event)) is not None:
                self._refuse(_Due(number, event, body, digest), NOT_SENT, reason)
                continue
            again = run
            yield _Due(number, event, body, digest)

    def _alone(self, due: _Due) -> None:
        try:
            self._post(ONE, due.body)
        except Rejected as error:
            self._refuse(due, error.answer.status, error.sample or str(error))
        except Failing as error:
            self._failures += 1
            if error.answer.status != 500 or self._failures >= _FAILURES:
                raise
            self._refuse(due, 500, str(error))
        else:
            self._failures = 0
            self._taken([due])

    def _together(self, some: Sequence[_Due]) -> None:
        try:
            answer = self._post(MANY, b"[" + b",".join(one.body for one in some) + b"]")
        except Rejected:
            unsure = some
        else:
            failed, unsure = _told(answer, some)
            for due, reason in failed:
                self._refuse(due, 400, reason)
            lost = {due.number for due in unsure} | {due.number for due, _ in failed}
            self._taken([due for due in some if due.number not in lost])
        for due in unsure:
            self._alone(due)

    def _post(self, path: str, body: bytes) -> Answer:
        try:
            return self._http.post(path, gzip.compress(body, 6, mtime=0) if self._zipped else body)
        except Denied as error:
            raise SourceRefused(
                f"{_bare(error)}: no event was taken. --token-env names the environment variable that holds a token"
            ) from error
        except Absent as error:
            batches = "; it may take no batches: leave --batch away" if path == MANY else ""
            raise SourceRefused(
                f"{_bare(error)}: --to is the address that {ONE} is below, with its prefix{batches}"
            ) from error
        except Rejected as error:
            if error.answer.status < 400 or error.answer.status in _ADDRESS_WRONG:
                zipped = "; it may not unpack: leave --gzip away" if self._zipped else ""
                raise SourceRefused(f"{error}{zipped}") from error
            raise

    def _taken(self, some: Sequence[_Due]) -> None:
        self._delivered.add(one.digest for one in some)
        self.tally.sent += len(some)

    def _refuse(self, due: _Due, status: int, reason: str) -> None:
        self.tally.refused += 1
        self._refused(Refusal(due.number, status, reason, due.event))


def _batches(due: Iterable[_Due], most: int) -> Iterator[list[_Due]]:
    some: list[_Due] = []
    size = 0
    for one in due:
        if some and (len(some) >= most or size + len(one.body) > _BATCH_BYTES):
            yield some
            some, size = [], 0
        some.append(one)
        size += len(one.body)
    if some:
        yield some


def _told(answer: Answer, some: Sequence[_Due]) -> tuple[list[tuple[_Due, str]], Sequence[_Due]]:
    """Which events of a batch were refused, with the reasons, and of which it is not clear."""
    try:
        told: Any = orjson.loads(answer.body) if answer.body.strip() else {}
    except orjson.JSONDecodeError:
        told = {}
    summary = cast(dict[str, Any], told) if isinstance(told, dict) else {}
    entries = cast(list[Any], summary.get("failed_events") or [])
    failed: dict[int, str] = {}
    first = len(some)  # what may be sent again is, with all behind it, so that a run's end stays its last event
    for one in (cast(dict[str, Any], entry) if isinstance(entry, dict) else {} for entry in entries):
        index = one.get("index")
        if not isinstance(index, int) or not 0 <= index < len(some):
            return [], some
        if one.get("retriable"):
            first = min(first, index)
        else:
            failed[index] = str(one.get("reason") or "no reason was told")[:500]
    if not failed and first == len(some) and summary.get("status") not in (None, "success"):
        return [], some
    unsure = [one for index, one in enumerate(some) if index >= first and index not in failed]
    return [(some[index], reason) for index, reason in sorted(failed.items())], unsure


def _bare(error: Denied | Absent) -> str:
    """What happened, without the advice for a source that is read."""
    return str(error).partition(". ")[0]
