"""Bytes that somebody sent as JSON: one value, or the reason why it is none."""

import json
import re
from typing import Any, NoReturn

import orjson

from .refused import Refused

_MARK = b"\xef\xbb\xbf"
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""An escape that may be half a character."""


def decode(body: bytes) -> Any:
    """The JSON value of a body. Raises `Refused` for everything that standard JSON does not allow."""
    raw = body.removeprefix(_MARK)
    if not raw.strip():
        raise Refused("the body is empty", "$", 400)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if not _HALF.search(raw):
            raise Refused(f"no JSON: {error}", "$", 400) from error
    return _with_lone_surrogates(raw)


def encode(value: Any) -> bytes:
    """One spelling of a JSON value: equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _with_lone_surrogates(raw: bytes) -> Any:
    """What orjson refuses and JSON allows: half a character, as software that counts in UTF-16 writes it."""
    try:
        return json.loads(raw.decode(), parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Refused(f"no JSON: {error}", "$", 400) from error


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        _no_number(text)
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number that JSON can say")
