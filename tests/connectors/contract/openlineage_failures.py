"""Ways in which a folder of OpenLineage events is broken, and what is to be seen of each."""

import gzip
import json
import os
import zlib
from typing import Any

from .failures import Failure, Moment
from .house import FAILED, SUCCEEDED
from .marquez_house import DAY, event
from .openlineage_house import OpenLineageHouse

_GOOD = json.dumps(event("good", DAY)).encode()
_LISTS_THEM = "lists them with their reasons|says why: correct and replay them"
_SMALL: dict[str, Any] = {"http": {"page_bytes": 100_000}}


def _without(member: str) -> bytes:
    told = event("bad", DAY)
    del told[member]
    return json.dumps(told).encode()


def _with(**members: Any) -> bytes:
    return json.dumps({**event("bad", DAY), **members}).encode()


def _link(house: OpenLineageHouse) -> None:
    (house.folder / "out.ndjson").symlink_to("/etc/hostname")


def _circle(house: OpenLineageHouse) -> None:
    (house.folder / "circle.ndjson").symlink_to("circle.ndjson")


def _pipe(house: OpenLineageHouse) -> None:
    os.mkfifo(house.folder / "pipe.ndjson")


def _vanished(house: OpenLineageHouse) -> None:
    house.folder.rename(house.folder.with_name(f"{house.folder.name}-away"))


def _kept_aside(
    done: str, name: str, body: bytes, says: str, moment: Moment = Moment.AGAIN, **settings: Any
) -> Failure:
    return Failure(
        done,
        lambda house: (house.folder / name).write_bytes(body),
        SUCCEEDED,
        "OK",
        says,
        _LISTS_THEM,
        moment,
        settings,
    )


_PACKED = gzip.compress(b"\n".join([_GOOD] * 2000))
_LONG = json.dumps(event("long", DAY, facets={"acme": {"text": "x" * 200_000}})).encode()
NEXT, AGAIN = Moment.NEXT, Moment.AGAIN

FAILURES: tuple[Failure, ...] = (
    Failure("The folder is gone", _vanished, FAILED, "UNREACHABLE", "does not exist", "try again later", NEXT),
    Failure("The folder is gone", _vanished, FAILED, "UNREACHABLE", "does not exist", "try again later", AGAIN),
    Failure("A link leads out of the folder", _link, SUCCEEDED, "OK", "leads out of the folder", _LISTS_THEM),
    Failure("A link leads to itself", _circle, SUCCEEDED, "OK", "cannot be looked at", _LISTS_THEM),
    Failure("A pipe lies among the files", _pipe, SUCCEEDED, "OK", "no regular file", _LISTS_THEM),
    _kept_aside("A packed file ends in its middle", "cut.ndjson.gz", _PACKED[: len(_PACKED) // 2], "cannot be read"),
    _kept_aside("A packed file is spoilt", "bad.ndjson.gz", _PACKED[:40] + b"\0" * 40, "cannot be read", NEXT),
    _kept_aside("A file is called packed and is not", "plain.ndjson.gz", _GOOD, "cannot be read"),
    _kept_aside("A packed file is of another kind", "zlib.ndjson.gz", zlib.compress(_GOOD), "cannot be read", NEXT),
    _kept_aside(
        "A line is cut in its middle", "half.ndjson", _GOOD[:80] + b"\n" + _GOOD + b"\n", "event half.ndjson:1"
    ),
    _kept_aside(
        "The last line is cut for good", "last.ndjson", _GOOD + b"\n" + _GOOD[:80], "event last.ndjson:2", NEXT
    ),
    _kept_aside("A line is longer than what is taken", "long.ndjson", _LONG + b"\n", "longer than", **_SMALL),
    _kept_aside(
        "One JSON value is larger than what is taken", "long.json", b"[\n" + _LONG + b"]", "more than", **_SMALL
    ),
    _kept_aside("A line is no UTF-8", "latin.ndjson", b'{"job": "caf\xe9"}\n', "event latin.ndjson:1"),
    _kept_aside("A line is no JSON", "prose.ndjson", b"started the job\n", "event prose.ndjson:1", NEXT),
    _kept_aside("A file is a web page", "page.json", b"<!doctype html>\n<html></html>", "event page.json"),
    _kept_aside("A line is a number", "number.ndjson", b"42\n", "event number.ndjson:1"),
    _kept_aside("A line holds a NUL", "nul.ndjson", b'{"a": "\x00"}\n', "event nul.ndjson:1"),
    _kept_aside("A line holds NaN", "nan.ndjson", b'{"a": NaN}\n', "event nan.ndjson:1", NEXT),
    _kept_aside(
        "Lists stand in one another without end", "deep.ndjson", b"[" * 9000 + b"]" * 9000 + b"\n", "deep.ndjson"
    ),
    _kept_aside("An event lacks its job", "jobless.ndjson", _without("job") + b"\n", "event jobless.ndjson:1"),
    _kept_aside("An event lacks its run", "runless.ndjson", _without("run") + b"\n", "event runless.ndjson:1"),
    _kept_aside("An event's job is a word", "word.ndjson", _with(job="bad") + b"\n", "event word.ndjson:1", NEXT),
    _kept_aside("An event's inputs are an object", "in.ndjson", _with(inputs={"a": 1}) + b"\n", "in.ndjson|inputs"),
)
