"""How a body comes in, within its limits, and how JSON goes out again."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request

_PATIENCE = 60
"""Seconds that a body may take to arrive."""


class WrongRequest(Exception):
    """A request that is not as HTTP or the endpoint wants it; the message is for whoever sent it."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


class TooLarge(Exception):
    """More bytes than a request may have; `inflated` tells whether that showed only when it was unpacked."""

    def __init__(self, limit: int, *, inflated: bool) -> None:
        where = " once it is unpacked" if inflated else ""
        super().__init__(f"the body has more than the {limit} bytes it may have{where}")
        self.inflated = inflated


def json_bytes(value: Any) -> bytes:
    """The value as JSON, whatever text and numbers are in it."""
    try:
        return orjson.dumps(value)
    except TypeError:  # integers beyond 64 bits, lone surrogates: legal in a facet, refused by orjson
        return json.dumps(value, separators=(",", ":")).encode()


def _nothing(_count: int) -> None:
    return None


async def body_of(
    request: Request,
    *,
    wire: int,
    inflated: int,
    gzip: bool,
    taken: Callable[[int], None] = _nothing,
    patience: float = _PATIENCE,
) -> bytes:
    """The JSON body of a request, unpacked; reading ends at once where a limit is passed.

    `taken` hears of every byte that is kept. Raises `WrongRequest`, `TooLarge`.
    """
    _check_type(request)
    unpack = _encoding(request, gzip=gzip)
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > wire:
        raise TooLarge(wire, inflated=False)
    chunks = _limited(request, wire)
    try:
        async with asyncio.timeout(patience):
            return await _gathered(_gunzipped(chunks, inflated) if unpack else chunks, inflated, taken, unpack=unpack)
    except TimeoutError as error:
        late = f"the body did not arrive within {patience:g} s"
        raise WrongRequest(408, late, {"Connection": "close"}) from error


async def _gathered(pieces: AsyncIterator[bytes], most: int, taken: Callable[[int], None], *, unpack: bool) -> bytes:
    body = bytearray()
    async for piece in pieces:
        taken(len(piece))
        body += piece
        if len(body) > most:
            raise TooLarge(most, inflated=unpack)
    return bytes(body)


def _check_type(request: Request) -> None:
    told = request.headers.getlist("content-type")
    kind, _, parameters = told[0].partition(";") if len(told) == 1 else ("", "", "")
    if kind.strip().lower() != "application/json":
        raise WrongRequest(415, "the body must be application/json", {"Accept": "application/json"})
    charset = parameters.lower().replace(" ", "").partition("charset=")[2].strip('"')
    if charset and charset not in ("utf-8", "utf8", "us-ascii"):
        raise WrongRequest(415, "the body must be UTF-8")


def _encoding(request: Request, *, gzip: bool) -> bool:
    match request.headers.get("content-encoding", "identity").strip().lower():
        case "identity" | "":
            return False
        case "gzip" | "x-gzip" if gzip:
            return True
        case other:
            known = "gzip" if gzip else "identity"
            raise WrongRequest(415, f"Content-Encoding {other[:40]!r} is not taken", {"Accept-Encoding": known})


async def _limited(request: Request, wire: int) -> AsyncIterator[bytes]:
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > wire:
            raise TooLarge(wire, inflated=False)
        if chunk:
            yield chunk


async def _gunzipped(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """Unpacked as it comes, never more at a time than may be kept; members that follow one another are one."""
    step = min(limit + 1, 1 << 20)
    member = zlib.decompressobj(wbits=31)
    begun = False
    try:
        async for chunk in chunks:
            if member.eof:
                member = zlib.decompressobj(wbits=31)
            begun, rest, full = True, chunk, False
            while rest or full:
                piece = member.decompress(rest, step)
                yield piece
                rest, full = member.unconsumed_tail, len(piece) == step
                if member.eof and member.unused_data:
                    rest, member = member.unused_data, zlib.decompressobj(wbits=31)
    except zlib.error as error:
        raise WrongRequest(400, "the body is not what its Content-Encoding says: gzip") from error
    if not begun or not member.eof:
        raise WrongRequest(400, "the packed body ends in the middle")
