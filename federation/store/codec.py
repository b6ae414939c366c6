"""How values of the model become bytes and numbers of the store, and back."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
import xxhash

from ..columns import NONE
from ..model import AssetKind, EdgeKind, Evidence, Form, Json, Record, Role, Run, RunState, Spelling

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encoder = msgspec.json.Encoder(order="deterministic")

KINDS: Sequence[AssetKind] = list(AssetKind)
EDGE_KINDS: Sequence[EdgeKind] = list(EdgeKind)
ROLES: Sequence[Role] = list(Role)
EVIDENCE: Sequence[Evidence] = list(Evidence)
STATES: Sequence[RunState] = list(RunState)

Word = TypeVar("Word", bound=StrEnum)
# By type first: words of two enums may be equal texts (a kind CODE, a role CODE).
_POSITION: dict[type[StrEnum], dict[StrEnum, int]] = {
    type(words[0]): {word: place for place, word in enumerate(words)}
    for words in (KINDS, EDGE_KINDS, ROLES, EVIDENCE, STATES)
}


def position(word: StrEnum | None) -> int:
    """The place of an enumerated word in its enum; `NONE` for no word."""
    return NONE if word is None else _POSITION[type(word)][word]


def word(words: Sequence[Word], place: int | None) -> Word | None:
    """The word at a place of its enum; None for `NONE`."""
    return None if place is None or place == NONE else words[place]


def kind_at(place: int) -> AssetKind:
    """The kind of asset at a position."""
    return KINDS[place]


def edge_kind_at(place: int) -> EdgeKind:
    """The kind of edge at a position."""
    return EDGE_KINDS[place]


def micros(time: datetime | None) -> int | None:
    """UTC microseconds since 1970; a time without zone is taken as UTC."""
    if time is None:
        return None
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


def told(time: datetime | None, now: int) -> int | None:
    """Like `micros`, but a time before 1970 or more than a day ahead counts as not told (design §3)."""
    stamp = micros(time)
    return stamp if stamp is not None and 0 <= stamp <= now + 86_400_000_000 else None


def moment(stamp: int | None) -> datetime | None:
    """The aware time of UTC microseconds."""
    return None if stamp is None else _EPOCH + timedelta(microseconds=stamp)


def digest(data: bytes | str) -> bytes:
    """128 bits that stand for a text or body in an index."""
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    return xxhash.xxh3_128_digest(raw)


def encode(value: Json) -> bytes:
    """JSON with sorted keys: equal values give equal bytes."""
    return _encoder.encode(value)


def decode(body: bytes | memoryview | None) -> Any:
    """What `encode` wrote; None stays None."""
    return None if body is None else msgspec.json.decode(bytes(body))


def clean(text: str) -> str:
    """A text that every database takes: NUL and lone surrogates escaped as \\u sequences."""
    if "\x00" not in text and text.isascii():
        return text
    safe = text.replace("\x00", "\\u0000")
    return safe.encode("utf-8", "backslashreplace").decode("utf-8")


def tidy(value: Json) -> Json:
    """A JSON value whose texts are clean, and whose numbers JSON can say."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {clean(str(key)): tidy(item) for key, item in value.items()}  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType] - foreign JSON
    if isinstance(value, list | tuple):
        return [tidy(item) for item in value]  # pyright: ignore[reportUnknownVariableType] - foreign JSON
    return value


def describe(record: Record, now: int) -> dict[str, Json]:
    """A record as the document that is hashed and kept. When it was said is no part of it."""
    run = record.run
    return {
        "kind": position(record.kind),
        "name": clean(record.name),
        "subtype": _text(record.subtype),
        "described": record.described,
        "suspect": record.suspect,
        "teller": _text(record.teller),
        "description": _text(record.description),
        "url": _text(record.url),
        "created": told(record.created_at, now),
        "updated": told(record.updated_at, now),
        "run": run and [position(run.state), told(run.started_at, now), told(run.ended_at, now), _text(run.error)],
        "spellings": sorted([[s.form.value, [clean(p) for p in s.parts], s.weak] for s in record.spellings]),
        "facets": tidy(dict(record.facets)),
    }


def _text(text: str | None) -> str | None:
    return None if text is None else clean(text)


def spellings(rows: Iterable[Sequence[Any]]) -> tuple[Spelling, ...]:
    """The spellings of a document."""
    return tuple(Spelling(Form(form), tuple(parts), bool(weak)) for form, parts, weak in rows)


def run_of(state: int | None, started: int | None, ended: int | None, error: str | None) -> Run | None:
    """A run's life from its columns; None when it is no run."""
    known = word(STATES, state)
    return None if known is None else Run(known, moment(started), moment(ended), error)


def said_of_record(row: Any) -> dict[str, Any]:
    """What a row of `record` says of its thing, in the words that the model and the store's answers share."""
    body = decode(row.body)
    return {
        "native_id": row.native_id,
        "kind": kind_at(row.kind),
        "subtype": row.subtype,
        "name": row.name,
        "described": bool(row.described),
        "description": row.description,
        "url": row.url,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "run": run_of(row.run_state, row.run_started, row.run_ended, row.run_error),
        "suspect": bool(row.suspect),
        "spellings": spellings(body["spellings"]),
        "facets": body["facets"],
    }


def said_of_edge(row: Any) -> dict[str, Any]:
    """What a row of `claim` says of its edge, but for who stands at its ends and behind it."""
    evidence = word(EVIDENCE, row.evidence)
    assert evidence is not None
    return {
        "kind": edge_kind_at(row.kind),
        "role": word(ROLES, row.role),
        "flow": row.flow,
        "evidence": evidence,
        "confidence": row.confidence,
        "planned": bool(row.planned),
        "outcome": word(STATES, row.outcome),
        "valid_from": moment(row.valid_from),
        "valid_to": moment(row.valid_to),
        "transformation": row.transformation,
        "alias": row.alias,
        "weight": row.weight,
    }
