"""Where a page sequence goes on: a signed mark that names the store, the graph, the question and the position."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from hashlib import sha256

import orjson

from ..errors import BadInput

_SEAL = 16


@dataclass(frozen=True, slots=True)
class Place:
    """The graph that a page sequence stands on, the second that it calls now, and how many nodes were shown."""

    seq: int
    now: int
    position: int
    epoch: str = ""
    """The store's; a rebuild or a restored copy begins another one."""


class Cursors:
    """Writes and reads the marks of one store."""

    def __init__(self, secret: bytes, store_id: str) -> None:
        self._key = hmac.digest(secret, b"watersmeet graph cursor", sha256)
        self._store = store_id

    def write(self, question: object, place: Place) -> str:
        """The mark of a place in the answer to a question."""
        body = orjson.dumps([place.seq, place.now, place.position, place.epoch])
        return base64.urlsafe_b64encode(self._seal(question, body) + body).decode().rstrip("=")

    def read(self, question: object, cursor: str) -> Place:
        """The place in a mark. Raises `BadInput` if it belongs to another store or question, or to nobody."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        seal, body = raw[:_SEAL], raw[_SEAL:]
        if not body or not hmac.compare_digest(seal, self._seal(question, body)):
            raise BadInput("`after` is no cursor of this question: take it from an answer to the very same arguments")
        return Place(*orjson.loads(body))

    def _seal(self, question: object, body: bytes) -> bytes:
        asked = sha256(orjson.dumps([self._store, question])).digest()
        return hmac.digest(self._key, asked + body, sha256)[:_SEAL]
