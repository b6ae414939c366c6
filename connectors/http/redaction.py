"""What may be shown of addresses, of answers and of what a client writes into its log."""

import logging
import re
from collections.abc import Iterable

import httpx2

from ...config.address import MASK, names_a_secret, shown

_LONGEST = 200
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s\"'<>\\]+")
_SCHEME = re.compile(r"\b(Bearer|Basic|Token|Digest)\s+[A-Za-z0-9._~+/=\-]{6,}", re.IGNORECASE)
_PAIR = re.compile(r"([A-Za-z][A-Za-z0-9_\-]*)([\"']?\s*[=:]\s*[\"']?)([^\s\"'&,;<>}\\]+)")
_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


def address(url: httpx2.URL | str) -> str:
    """An address without password, signed parameters and fragment."""
    return shown(str(url).partition("#")[0])


def scrubbed(text: str, secrets: Iterable[str] = ()) -> str:
    """A foreign text without what looks like a secret, and without what is one of ours."""
    for secret in secrets:
        if len(secret) > 3:
            text = text.replace(secret, MASK)
    text = _ADDRESS.sub(lambda found: address(found[0]), text)
    text = _SCHEME.sub(lambda found: f"{found[1]} {MASK}", text)
    return _PAIR.sub(lambda found: found[1] + found[2] + MASK if names_a_secret(found[1]) else found[0], text)


def excerpt(body: bytes, secrets: Iterable[str] = ()) -> str:
    """The beginning of an answer as one line that may be shown; of a page only its words."""
    text = body[: 20 * _LONGEST].decode("utf-8", "replace")
    words = " ".join((_TAGS.sub(" ", text) if text.lstrip().startswith("<") else text).split())
    return scrubbed(words, secrets)[:_LONGEST]


class _Addresses(logging.Filter):
    """The client's own log names each address in full."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(address(one) if isinstance(one, httpx2.URL) else one for one in record.args)
        return True


logging.getLogger("httpx2").addFilter(_Addresses())
