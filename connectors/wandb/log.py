"""The file that a run leaves on disk: a header, then a LevelDB log of protobuf messages, read without the client."""

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from struct import Struct
from typing import IO

_HEADER = Struct("<4sHB")
_PIECE = Struct("<IHB")
_BLOCK = 32_768
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_LONGEST = 64 * 2**20

Message = Mapping[int, list[int | bytes]]
"""A protobuf message: by the number of each field all its values, numbers or bytes."""


class Broken(Exception):
    """A file that is none, or that ends in the middle; what came before counts."""


def records(file: Path) -> Iterator[bytes]:
    """The records of a file one by one. Raises `Broken` where it cannot be read on."""
    with file.open("rb") as opened:
        head = opened.read(_HEADER.size)
        if len(head) < _HEADER.size or _HEADER.unpack(head)[0] != b":W&B":
            raise Broken("it does not begin like a file of Weights & Biases")
        yield from _joined(opened)


def _joined(opened: IO[bytes]) -> Iterator[bytes]:
    parts = bytearray()
    for kind, data in _pieces(opened):
        if kind in (_WHOLE, _FIRST):
            parts.clear()
        parts += data
        if len(parts) > _LONGEST:
            raise Broken(f"a record has more than {_LONGEST:,} bytes")
        if kind in (_WHOLE, _LAST):
            yield bytes(parts)
            parts.clear()


def _pieces(opened: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    at = _HEADER.size
    while True:
        left = _BLOCK - at % _BLOCK
        if left < _PIECE.size:
            at += len(opened.read(left))  # the end of a block that is too short for a piece
            continue
        head = opened.read(_PIECE.size)
        if not head:
            return
        if len(head) < _PIECE.size:
            raise Broken("it ends in the middle of a record: the run was killed, or is still writing")
        checksum, length, kind = _PIECE.unpack(head)
        if kind == 0 and length == 0:
            opened.read(left - _PIECE.size)
            at += left
            continue
        data = opened.read(length)
        at += _PIECE.size + length
        if len(data) < length:
            raise Broken("it ends in the middle of a record: the run was killed, or is still writing")
        if kind > _LAST or zlib.crc32(bytes([kind]) + data) != checksum:
            raise Broken(f"what stands before byte {at:,} is damaged")
        yield kind, data


def message(data: bytes) -> dict[int, list[int | bytes]]:
    """The fields of a message, as deep as they are asked for. Raises `Broken`."""
    found: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(data):
        key, at = _number(data, at)
        value: int | bytes
        match key & 7:
            case 0:
                value, at = _number(data, at)
            case 1:
                value, at = data[at : at + 8], at + 8
            case 2:
                length, at = _number(data, at)
                value, at = data[at : at + length], at + length
            case 5:
                value, at = data[at : at + 4], at + 4
            case other:
                raise Broken(f"a record holds a value of the unknown type {other}")
        if at > len(data):
            raise Broken("a record ends in the middle of a value")
        found.setdefault(key >> 3, []).append(value)
    return found


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise Broken("a record ends in the middle of a number")


def text_of(told: Message, number: int) -> str:
    """The last text of a field; empty where there is none."""
    found = told.get(number, [b""])[-1]
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else ""


def texts_of(told: Message, number: int) -> list[str]:
    """All texts of a field."""
    return [one.decode("utf-8", "replace") for one in told.get(number, []) if isinstance(one, bytes)]


def number_of(told: Message, number: int) -> int:
    """The last number of a field; negative ones are written as huge ones."""
    found = told.get(number, [0])[-1]
    value = found if isinstance(found, int) else 0
    return value - 2**64 if value >= 2**63 else value


def inner(told: Message, number: int) -> list[dict[int, list[int | bytes]]]:
    """The messages of a field."""
    return [message(one) for one in told.get(number, []) if isinstance(one, bytes)]
