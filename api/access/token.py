"""What a token looks like: `wm_`, a public part, a secret part."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from ...federation.rows import TokenRow
from .roles import Role

PATTERN = re.compile(r"wm_([a-z2-7]{10})_([a-z2-7]{52})")
"""The redaction of events and logs knows the same form (`federation.openlineage.confidential`)."""
_ID_LETTERS = 10
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Presented:
    """A token as somebody shows it, taken apart."""

    id: str
    hash: bytes = field(repr=False)


def make(name: str, role: Role, created_at: datetime, expires_at: datetime | None = None) -> tuple[str, TokenRow]:
    """A new token, shown once, and what the store keeps of it: 256 random bits need no salt and no slow hash."""
    public, secret = _random(_ID_LETTERS)[:_ID_LETTERS], _random(_SECRET_BYTES)
    return f"wm_{public}_{secret}", TokenRow(public, name, role.value, _hash(secret), created_at, expires_at)


def read(text: str) -> Presented | None:
    """The parts of a token; None for what is none."""
    found = PATTERN.fullmatch(text)
    return Presented(found[1], _hash(found[2])) if found else None


def _random(count: int) -> str:
    """So many random bytes in small letters and digits, which survive every shell and form."""
    return base64.b32encode(secrets.token_bytes(count)).decode().rstrip("=").lower()


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
