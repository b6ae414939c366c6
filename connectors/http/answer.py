"""An answer as it came, read with care: how large it may be, how deep, and whether it is what was asked for."""

import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import orjson

from ...federation.model import Json

_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_ALL_BUT_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")
_SIGN_ON = re.compile(
    rb"sign[\s-]?[io]n|log[\s-]?in\b|password|saml|oauth|openid|authenticat|/auth/|captcha", re.IGNORECASE
)


class TooLarge(Exception):
    """More than is taken at once."""


class CutOff(Exception):
    """It ended before it was complete."""


class NotJson(Exception):
    """It is complete, and no JSON that we take."""


class Page(Exception):
    """It is a page for people; `is_sign_on`: one that asks who we are."""

    def __init__(self, *, is_sign_on: bool) -> None:
        super().__init__("a page for people")
        self.is_sign_on = is_sign_on


@dataclass(frozen=True, slots=True)
class Answer:
    """What a platform said, all of it."""

    status: int
    path: str
    """The path that answered at last, as it went over the wire."""
    content_type: str
    body: bytes
    moved: bool = False
    """True: we were sent on to this path."""
    comes_back: str | None = None
    """When it wants to be asked again, as it told: seconds or a date."""

    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def retry_after(self, now: datetime) -> float | None:
        """Seconds after which it wants to be asked again, told as a number or as a date; None: nothing sensible."""
        told = (self.comes_back or "").strip()
        try:
            seconds = float(told)
        except ValueError:
            return _until(told, now)
        return seconds if 0 <= seconds < 1e8 else None

    def is_page(self) -> bool:
        """Whether it is HTML, whatever it says it is."""
        start = self.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return "html" in self.content_type.lower() or start.startswith((b"<!doctype", b"<html", b"<?xml"))

    def asks_who(self) -> bool:
        """Whether a page is one to sign in."""
        return _SIGN_ON.search(self.body) is not None

    def json(self, nesting: int = 200) -> Json:
        """The body as JSON. Raises `Page`, `CutOff`, `NotJson`."""
        if self.is_page():
            raise Page(is_sign_on=self.asks_who())
        return parsed(self.body, nesting)


def _until(date: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(date)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max((at - now).total_seconds(), 0.0)


def parsed(body: bytes, nesting: int) -> Json:
    """JSON within our limits; NaN and infinities, which are none, become null. Raises `CutOff`, `NotJson`."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _lenient(body)
    if is_deeper(body, nesting):
        raise NotJson(f"its objects and lists stand in one another more than {nesting} deep")
    return value


def _lenient(body: bytes) -> Json:
    # What orjson refuses and platforms send: NaN, lone surrogates.
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except RecursionError as error:
        raise NotJson("its objects and lists stand in one another without end") from error
    except json.JSONDecodeError as error:
        is_cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        raise (CutOff if is_cut else NotJson)(f"{error.msg} at place {error.pos}") from error
    except ValueError as error:  # an integer of thousands of digits
        raise NotJson("it holds a number that is none") from error


def is_deeper(body: bytes, nesting: int) -> bool:
    """Whether well-formed JSON is nested deeper than that. Takes off the innermost pairs, one layer a round."""
    if body.count(b"[") + body.count(b"{") <= nesting:
        return False
    brackets = _STRINGS.sub(b"", body).translate(None, _ALL_BUT_BRACKETS)
    for _ in range(nesting):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)


def inflated(chunks: Iterable[bytes], encoding: str, wire: int, most: int) -> Iterator[bytes]:
    """The body as it was meant, however it came, never holding more than a little beyond the limits in memory.

    Raises `TooLarge`, `CutOff`, `NotJson` (an encoding that we did not ask for).
    """
    counted = _at_most(chunks, wire, "as it arrives")
    match encoding.strip().lower():
        case "" | "identity":
            yield from _at_most(counted, most, "in all")
        case "gzip" | "x-gzip":
            yield from _at_most(_unzipped(counted, most), most, "once it is unpacked")
        case other:
            raise NotJson(f"it is encoded as {other!r}, which nobody asked for")


def _at_most(chunks: Iterable[bytes], most: int, when: str) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise TooLarge(f"more than {most:,} bytes {when}")
        yield chunk


def _unzipped(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    step = min(most, 2**20) + 1
    unzip = zlib.decompressobj(wbits=31)
    started = False
    for chunk in chunks:
        while chunk:
            if unzip.eof:  # a further member
                unzip = zlib.decompressobj(wbits=31)
            started = True
            try:
                yield unzip.decompress(chunk, step)
            except zlib.error as error:
                raise CutOff("what was packed cannot be unpacked") from error
            chunk = unzip.unconsumed_tail or unzip.unused_data
    while started and not unzip.eof:
        rest = unzip.decompress(b"", step)  # what the last step had no room for
        if not rest and not unzip.eof:
            raise CutOff("it ended before it was unpacked")
        yield rest
