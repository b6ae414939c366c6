"""How dotted names are cut into their parts, quotes and all, and put together again without doubt."""

import re
import unicodedata
from collections.abc import Sequence

_PIECE = re.compile(r'"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|([^.]*)')
_BRACKETED = re.compile(r"(?:^|(?<=\.))\[([^\]]*)\](?=\.|$)")
_PLAIN = re.compile(r'[^."#=`][^."#]*')


def cut(name: str) -> tuple[str, ...]:
    """The parts of a dotted name; a dot inside quotes or backticks belongs to its part."""
    return tuple(part for part, _ in cut_quoted(name)) if _is_quoted(name) else tuple(name.split("."))


def cut_quoted(name: str) -> list[tuple[str, bool]]:
    """The parts of a dotted name, each with whether it was quoted; quotes that do not close are letters."""
    if not _is_quoted(name):
        return [(part, False) for part in name.split(".")]
    found: list[tuple[str, bool]] = []
    at = 0
    while True:
        piece = _PIECE.match(name, at)
        assert piece is not None  # the last branch matches anything
        if piece.end() < len(name) and name[piece.end()] != ".":
            return [(part, False) for part in name.split(".")]
        found.append(_unquoted(piece))
        if piece.end() == len(name):
            return found
        at = piece.end() + 1


def unbracketed(name: str) -> str:
    """The same name with SQL Server's brackets written as quotes."""
    if "[" not in name:
        return name
    return _BRACKETED.sub(lambda found: _quoted(found[1]), name)


def dotted(parts: Sequence[str]) -> str:
    """One readable text that no other list of parts has: parts that could be mistaken are quoted."""
    return ".".join(map(_quoted, parts))


def in_quotes(part: str) -> str:
    """A part in double quotes."""
    return '"' + part.replace('"', '""') + '"'


def nfc(text: str) -> str:
    """The composed form, so that one letter is one letter."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """Without case."""
    return text.lower() if text.isascii() else nfc(nfc(text).lower())


def _is_quoted(name: str) -> bool:
    return '"' in name or "`" in name


def _unquoted(piece: re.Match[str]) -> tuple[str, bool]:
    double, back, plain = piece.groups()
    if double is not None:
        return double.replace('""', '"'), True
    if back is not None:
        return back.replace("``", "`"), True
    return plain or "", False


def _quoted(part: str) -> str:
    return part if _PLAIN.fullmatch(part) else in_quotes(part)
