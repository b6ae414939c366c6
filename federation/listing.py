"""Which scopes a complete listing has mentioned, kept small: sixteen bytes a scope."""

from collections.abc import Iterator, Set

import numpy as np
import xxhash

from .connector import Batch
from .model import family_of

_SIZE = 16


class Listing:
    """What one read mentioned, family by family, and which families it says it has listed from first to last."""

    def __init__(self) -> None:
        self._seen: dict[str, bytearray] = {}
        self._finished: dict[str, bool] = {}

    def note(self, batch: Batch) -> None:
        """Remember the scopes of one batch, told or there, and what it says of whole families."""
        for key in (*(scope.key for scope in batch.scopes), *batch.unread):
            digest = xxhash.xxh3_128_digest(key.encode("utf-8", "surrogatepass"))
            self._seen.setdefault(family_of(key), bytearray()).extend(digest)
        for family in batch.listed:
            self._finished[family] = self._finished.get(family, False) or batch.unsure

    def finished(self) -> Iterator[tuple[str, bool]]:
        """The families listed from first to last, and whether the platform may have hidden something."""
        yield from self._finished.items()

    def seen(self, family: str) -> "Digests":
        """The scopes of a family that were mentioned."""
        return Digests(self._seen.get(family, b""))


class Digests(Set[bytes]):
    """A set of 128-bit digests in one block of bytes; asked by bisection."""

    def __init__(self, block: bytes | bytearray) -> None:
        pairs = np.frombuffer(bytes(block), dtype=">u8").reshape(-1, 2)
        self._sorted = np.unique(pairs, axis=0).tobytes()

    def __contains__(self, digest: object) -> bool:
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            found = self._at(middle)
            if found == digest:
                return True
            if found < digest:  # type: ignore[operator]  # Set asks for `object`; only digests are ever looked up
                low = middle + 1
            else:
                high = middle
        return False

    def __iter__(self) -> Iterator[bytes]:
        return map(self._at, range(len(self)))

    def __len__(self) -> int:
        return len(self._sorted) // _SIZE

    def _at(self, place: int) -> bytes:
        return self._sorted[place * _SIZE : (place + 1) * _SIZE]
