"""How a good event is spoilt: in its bytes, its JSON, its values, its packing and its request."""

import copy
import gzip
import json
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .fire_events import SECRET

ONE, MANY = "/api/v1/lineage", "/api/v1/lineage/batch"


@dataclass(frozen=True)
class Shot:
    """One request."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict[str, str])
    path: str = ONE
    chunked: bool = False


Spoil = Callable[[random.Random, dict[str, Any]], Shot]
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1.5e300, "", " ", "x" * 10_000, [], {}, [[]], [None], {"": {}}, [{}],
    "'; DROP TABLE event; --", "<script>alert(1)</script>", "%s%n%x {0} ${HOME} {{7*7}}", "\x00", "a\x00b",
    "\ufeff\u202e\u2028", "\U0001f4a5" * 300, "../../etc/passwd", "9" * 400, "NaN", "\x7f\x1b[31m",
)  # fmt: skip
TIMES = (
    "0000-00-00T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "-0001-01-01T00:00:00Z",
    "2026-11-20", "2026-13-45T99:99:99Z", "1e9", 1e308, -1, "2026-11-20T12:00:00+99:99", "2026-11-20T12:00:00Z[UTC]",
    "+12026-11-20T12:00:00Z", "2026-W47-5", "\u0661\u0662:\u0660\u0660", "2026-11-20T24:00:00Z", "2026-11-20T12:00:60Z",
)  # fmt: skip

KINDS = (
    "text/plain", "", "application/xml", "application/json; charset=utf-16", "application/json;;;=", "APPLICATION/JSON",
    "multipart/form-data; boundary=x", "application/jsonjson", "a" * 3000,
)  # fmt: skip


def written(event: Any) -> bytes:
    """An event as its emitter writes it."""
    return json.dumps(event).encode()


def without_secrets(value: Any) -> Any:
    """The same event where a spoilt byte could make a secret look like none."""
    return json.loads(json.dumps(value).replace(SECRET, "nothing"))


def flip(rng: random.Random, event: dict[str, Any]) -> Shot:
    body = bytearray(written(without_secrets(event)))
    for _ in range(rng.choice((1, 1, 2, 5, 40))):
        body[rng.randrange(len(body))] = rng.randrange(256)
    return Shot(bytes(body))


def cut(rng: random.Random, event: dict[str, Any]) -> Shot:
    body = written(event)
    return Shot(body[: rng.randrange(len(body))])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        yield value, key
        yield from _places(item)


def _place(rng: random.Random, event: Any) -> tuple[Any, Any]:
    return rng.choice(list(_places(event)))


def swap(rng: random.Random, event: dict[str, Any]) -> Shot:
    for _ in range(rng.choice((1, 1, 1, 3))):
        holder, key = _place(rng, event)
        holder[key] = copy.deepcopy(rng.choice(ODD))
    return Shot(written(event))


def lack(rng: random.Random, event: dict[str, Any]) -> Shot:
    for _ in range(rng.choice((1, 1, 2))):
        holder, key = rng.choice([one for one in _places(event) if one[1] != "password"])
        del holder[key]
    return Shot(written(event))


def core(rng: random.Random, event: dict[str, Any]) -> Shot:
    """What an event cannot do without."""
    holder, key = rng.choice(
        [(event, "job"), (event, "run"), (event["run"], "runId"), (event["job"], "name"), (event["job"], "namespace")]
    )
    if rng.random() < 0.5:
        del holder[key]
    else:
        holder[key] = rng.choice([one for one in ODD if not isinstance(one, str)])
    return Shot(written(event))


def twice(rng: random.Random, event: dict[str, Any]) -> Shot:
    name = rng.choice(sorted(event))
    more = json.dumps({name: rng.choice(ODD)})[1:-1]
    text = json.dumps(event)
    return Shot((f"{{{more}, {text[1:]}" if rng.random() < 0.5 else f"{text[:-1]}, {more}}}").encode())


def deep(rng: random.Random, event: dict[str, Any]) -> Shot:
    depth, (opened, shut) = rng.choice((50, 99, 101, 150, 700, 1100, 30_000)), rng.choice(("[]", ("{" + '"a":', "}")))
    inner = opened * depth + ("1" if rng.random() < 0.7 else "") + (shut * depth if rng.random() < 0.7 else "")
    holder, key = _place(rng, event)
    holder[key] = "@here@"
    return Shot(written(event).replace(b'"@here@"', inner.encode()))


def number(rng: random.Random, event: dict[str, Any]) -> Shot:
    holder, key = _place(rng, event)
    holder[key] = "@here@"
    odd = ("1e400", "-1e400", "1" + "0" * 400, "NaN", "Infinity", "-Infinity", "0x10", "01", "1.", ".5", "-", "1e99999",
           "9223372036854775808", "18446744073709551616", "-9223372036854775809", "1e-400")  # fmt: skip
    return Shot(written(event).replace(b'"@here@"', rng.choice(odd).encode()))


def surrogate(rng: random.Random, event: dict[str, Any]) -> Shot:
    holder, key = _place(rng, event)
    holder[key] = "@here@"
    odd = rng.choice(
        ("\\ud800", "\\udc00", "\\ud800\\ud800", "\\u0000", "\\ud83d", "\\uDBFF\\u0041", "\\uFFFF", "\\u12")
    )
    return Shot(written(event).replace(b"@here@", odd.encode()))


def encoding(rng: random.Random, event: dict[str, Any]) -> Shot:
    text = json.dumps(event, ensure_ascii=False)
    return Shot(
        text.encode(rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "utf-8-sig", "cp037")))
    )


def packed(rng: random.Random, event: dict[str, Any]) -> Shot:
    whole = gzip.compress(written(event), mtime=0)
    spoilt = bytearray(whole)
    spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    body = rng.choice((bytes(spoilt), whole[: rng.randrange(len(whole))], whole + b"more", b"", written(event), whole))
    return Shot(body, {"content-encoding": rng.choice(("gzip", "x-gzip", "GZIP"))})


def deflated(rng: random.Random, event: dict[str, Any]) -> Shot:
    body = zlib.compress(written(event))
    named = rng.choice(("deflate", "gzip", "br", "zstd", "gzip, gzip", "identity, gzip", "\xff", "x" * 5000))
    return Shot(body, {"content-encoding": named})


def bomb(rng: random.Random, event: dict[str, Any]) -> Shot:
    filler = rng.choice((b" ", b"[", b"0", b'{"a":'))
    body = gzip.compress(filler * (24 * 2**20 // len(filler)), 9, mtime=0)
    if rng.random() < 0.3:
        body = gzip.compress(body, mtime=0)
    return Shot(body, {"content-encoding": "gzip"}, rng.choice((ONE, MANY)))


def kind(rng: random.Random, event: dict[str, Any]) -> Shot:
    told = rng.choice(KINDS)
    return Shot(written(event), {"content-type": told}, chunked=rng.random() < 0.5)


def time(rng: random.Random, event: dict[str, Any]) -> Shot:
    event["eventTime"] = rng.choice(TIMES)
    return Shot(written(event))


def long_id(rng: random.Random, event: dict[str, Any]) -> Shot:
    text = rng.choice(("x", "é", "/", ".", "%2F", '"', "\\", "\x00", "a b", "'--")) * rng.choice((300, 10_000))
    table, job = event["outputs"][0], event["job"]
    names = [(event["run"], "runId"), (job, "name"), (job, "namespace"), (table, "name"), (table, "namespace")]
    holder, key = rng.choice([*names, (event, "producer")])
    holder[key] = text
    return Shot(written(event))


def top(rng: random.Random, event: dict[str, Any]) -> Shot:
    values: tuple[Any, ...] = ([], [event], "text", 5, None, True, {}, [[]], {"events": [event]}, json.dumps(event))
    return Shot(written(rng.choice(values)), path=rng.choice((ONE, ONE, MANY)))


def batch(rng: random.Random, event: dict[str, Any]) -> Shot:
    bad = rng.choice((swap, core, lack, time))(rng, copy.deepcopy(event)).body
    good = written(event)
    parts = [good, bad, good] if rng.random() < 0.8 else [good, bad[:-3], good]
    return Shot(b"[" + b",".join(parts) + b"]", path=MANY)


SPOILS: tuple[Spoil, ...] = (
    flip, cut, swap, swap, swap, lack, lack, core, twice, deep, number, surrogate, encoding, packed, deflated, kind,
    time, long_id, top, batch,
)  # fmt: skip


def spoilt(rng: random.Random, event: dict[str, Any]) -> tuple[str, Shot]:
    """The event, spoilt by chance; a bomb now and then, for they take their time."""
    chosen = bomb if rng.random() < 0.004 else rng.choice(SPOILS)
    return chosen.__name__, chosen(rng, copy.deepcopy(event))
