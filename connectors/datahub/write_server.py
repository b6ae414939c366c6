"""A DataHub server as a target: what it holds is read first, and only what differs is sent.

Written with our own client and not with DataHub's: that one sends a whole batch again and again for one bad aspect,
keeps its own way of secrets and patience, and knows no proposal that only holds for one version.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ...config.settings import Source
from ...federation.connector import Health
from ...federation.dossier import Verdict
from ...federation.model import Json
from ..http import Absent, Answer, Denied, Http, Rejected, path
from ..http.redaction import scrubbed
from .registry import is_series
from .rest import Rest
from .urn import BadUrn, urn
from .wire import field, members, objects, text
from .write_merge import merged
from .write_plan import Fate, Key, Proposal, sized

MOST = 200
MOST_BYTES = 15_000_000
"""What one request may hold: DataHub's own client sends no more either."""
READ, WRITE = "GET_ENTITY", "EDIT_ENTITY"
_EVENTS = 100
_TRIES = 3
_CONFLICT = 412
_FORBIDDEN = 403
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class _Sent:
    """One aspect on its way, and which version it was made for."""

    key: Key
    value: Mapping[str, Any]
    version: str | None

    @property
    def row(self) -> dict[str, Json]:
        """As the API takes it."""
        told: dict[str, Json] = {"value": self.value}
        if self.version is not None:
            told["headers"] = {"If-Version-Match": self.version}
        return {"urn": self.key[0], self.key[1]: told}


class ServerTarget:
    """One server."""

    def __init__(self, source: Source, rest: Rest, http: Http) -> None:
        self._called = f"datahub {source.name!r}"
        self._source = source
        self._rest = rest
        self._http = http

    def check(self) -> Health:
        """Reach it, and tell its version. Raises `SourceError`."""
        config = self._rest.config()
        told = field(field(field(config, "versions"), "acryldata/datahub"), "version")
        needs = f"needs {READ} and {WRITE}"
        return Health(reachable=True, version=told if isinstance(told, str) else None, message=needs)

    def put(self, call: str, proposals: Sequence[Proposal]) -> tuple[Mapping[Key, Fate], int]:
        """Write what it does not hold yet. Raises `SourceError`."""
        before = self._requests()
        fates: dict[Key, Fate] = {}
        by_type: dict[str, list[Proposal]] = {}
        for one in proposals:
            try:
                by_type.setdefault(urn(one.urn).type, []).append(one)
            except BadUrn as error:
                fates[one.key] = Fate(Verdict.FAILED, f"its name is no URN: {error}")
        for type_, some in by_type.items():
            self._put(type_, [one for one in some if not is_series(one.aspect)], fates, _TRIES)
            self._events(type_, [one for one in some if is_series(one.aspect)], fates)
        return fates, self._requests() - before

    def held(self, keys: Iterable[Key]) -> tuple[Mapping[Key, Json], Mapping[Key, Fate], int]:
        """What stands there; why some of it may not be seen; what it cost. Raises `SourceError`."""
        before = self._requests()
        found, fates = dict[Key, Json](), dict[Key, Fate]()
        by_type: dict[str, list[Key]] = {}
        for key in keys:
            by_type.setdefault(urn(key[0]).type, []).append(key)
        for type_, some in by_type.items():
            found |= {key: field(told, "value") for key, told in self._held(type_, some, fates).items()}
        return found, fates, self._requests() - before

    def _requests(self) -> int:
        return self._http.requests + self._rest.requests

    def close(self) -> None:
        """Give back connections."""
        self._http.close()
        self._rest.close()

    # Aspects

    def _put(self, type_: str, proposals: Sequence[Proposal], fates: dict[Key, Fate], tries: int) -> None:
        unseen = dict[Key, Fate]()
        held = self._held(type_, (one.key for one in proposals), unseen)
        fates |= unseen
        values: dict[Key, dict[str, Any]] = {}
        for one in proposals:
            if one.key in unseen:
                continue  # what a person has there would be overwritten
            old = values.get(one.key) or members(field(held.get(one.key), "value"))
            values[one.key], fate = merged(one, old)
            fates[one.key] = fates.get(one.key, Fate()).and_then(fate)
        sent = [
            _Sent(key, value, _version(held.get(key)))
            for key, value in values.items()
            if sized(value) != sized(field(held.get(key), "value"))
        ]
        moved = {key for some in _batches(sent) for key in self._send(type_, some, fates)}
        if not moved:
            return
        for key in moved:
            del fates[key]
        if tries > 1:
            self._put(type_, [one for one in proposals if one.key in moved], fates, tries - 1)
        else:
            fates |= {key: Fate(Verdict.FAILED, "it was changed there each time it was to be written") for key in moved}

    def _held(self, type_: str, keys: Iterable[Key], fates: dict[Key, Fate]) -> dict[Key, Json]:
        wanted: dict[str, dict[str, Json]] = {}
        for name, aspect in keys:
            wanted.setdefault(name, {"urn": name})[aspect] = {}
        found: dict[Key, Json] = {}
        for rows in _by(list(wanted.values()), MOST):
            for row in self._asked(type_, rows, fates):
                name = str(row.get("urn"))
                found |= {(name, aspect): told for aspect, told in row.items() if aspect != "urn"}
        return found

    def _asked(self, type_: str, rows: list[dict[str, Json]], fates: dict[Key, Fate]) -> list[dict[str, Any]]:
        """What it holds of some things. One that it does not take, or does not show, refuses all: halves are asked."""
        try:
            route = path("openapi", "v3", "entity", type_, "batchGet")
            answer = self._http.post_json(route, rows, {"systemMetadata": "true"})
        except (Rejected, Absent, Denied) as error:
            _raise_unless_forbidden(error)
            if len(rows) > 1:
                half = len(rows) // 2
                return self._asked(type_, rows[:half], fates) + self._asked(type_, rows[half:], fates)
            if isinstance(error, Denied):
                name = str(rows[0]["urn"])
                reason = self._forbidden(error.answer, READ, name)
                fates |= {(name, aspect): Fate(Verdict.FAILED, reason) for aspect in rows[0] if aspect != "urn"}
            return []  # else what is sent will be refused with the reason
        return list(objects({"rows": answer}, "rows"))

    def _send(self, type_: str, batch: Sequence[_Sent], fates: dict[Key, Fate]) -> Iterator[Key]:
        """Send some; those that were changed meanwhile come back. One that is refused does not take others along."""
        try:
            self._post(type_, [one.row for one in batch])
        except (Rejected, Absent, Denied) as error:
            _raise_unless_forbidden(error)
            if len(batch) > 1:
                half = len(batch) // 2
                yield from self._send(type_, batch[:half], fates)
                yield from self._send(type_, batch[half:], fates)
            elif error.answer.status == _CONFLICT:
                yield batch[0].key
            elif isinstance(error, Denied):
                reason = self._forbidden(error.answer, WRITE, batch[0].key[0])
                fates[batch[0].key] = Fate(Verdict.FAILED, reason)
            else:
                fates[batch[0].key] = Fate(Verdict.FAILED, self._words(error.answer))

    def _post(self, type_: str, rows: list[dict[str, Json]]) -> None:
        self._http.post_json(path("openapi", "v3", "entity", type_), rows, {"async": "false"})

    # Series

    def _events(self, type_: str, proposals: Sequence[Proposal], fates: dict[Key, Fate]) -> None:
        """Events are told apart by their times: those that are there are not sent again."""
        by_key: dict[Key, list[Proposal]] = {}
        for one in proposals:
            by_key.setdefault(one.key, []).append(one)
        sent = list[_Sent]()
        for key, some in by_key.items():
            fates[key] = Fate()
            there = self._there(key, fates)
            if there is not None:
                sent += [_Sent(key, one.value, None) for one in some if sized(one.value) not in there]
        for batch in _batches(sent):
            for _ in self._send(type_, batch, fates):
                raise AssertionError("events have no version that could be another one")

    def _there(self, key: Key, fates: dict[Key, Fate]) -> set[bytes] | None:
        """The events that stand there; None where they may not be seen."""
        try:
            told = self._rest.series(urn(key[0]), key[1], _EVENTS)
        except Denied as error:
            _raise_unless_forbidden(error)
            fates[key] = Fate(Verdict.FAILED, self._forbidden(error.answer, READ, key[0]))
            return None
        except (Rejected, Absent):
            return set()  # what is sent will be refused with the reason
        return {sized(orjson.loads(one)) for one in told}

    def _words(self, answer: Answer) -> str:
        """What it says of its refusal, without secrets."""
        try:
            told = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            told = None
        said = " ".join(dict.fromkeys(one for name in ("error", "message") if (one := text(told, name))))
        token = self._source.secret_token()
        secrets = [token.get_secret_value()] if token is not None else []
        return f"{answer.status}: {scrubbed(said or 'without a reason', secrets)[:_LONGEST]}"

    def _forbidden(self, answer: Answer, grant: str, name: str) -> str:
        """What the token may not do, and who can help."""
        return f"{self._words(answer)} Grant {grant} on this {urn(name).type} to the token's owner, then migrate again"


def _raise_unless_forbidden(error: Rejected | Absent | Denied) -> None:
    """A token that nobody knows is none that lacks a right for one thing."""
    if isinstance(error, Denied) and error.answer.status != _FORBIDDEN:
        raise error


def _version(held: Json) -> str:
    """For which version an aspect is written: `-1` means that there is none."""
    if held is None:
        return "-1"
    told = field(field(held, "systemMetadata"), "version")
    return told if isinstance(told, str) else "-1"


def _batches(sent: Iterable[_Sent]) -> Iterator[list[_Sent]]:
    batch, size = list[_Sent](), 0
    for one in sent:
        weight = len(orjson.dumps(one.row))
        if batch and (len(batch) >= MOST or size + weight > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += weight
    if batch:
        yield batch


def _by(rows: list[dict[str, Json]], size: int) -> Iterator[list[dict[str, Json]]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
