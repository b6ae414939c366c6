"""What a version's manifest says of where its data is: files outside, and entries of other versions."""

import hashlib
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder

from ...federation.model import AssetKind, Edge, EdgeKind, Evidence, Form, Json, Record, Scope, Skipped, Spelling
from ...federation.naming import canonical_uri
from ..http.redaction import address
from .artifacts import keeper
from .place import Project, of_hex, version_id
from .wire import field, moment, number, text

_CONTENTS = re.compile(r'"contents"\s*:\s*\{')
_NEXT = re.compile(r"\s*,?\s*")
_COLON = re.compile(r"\s*:\s*")
_DECODER = JSONDecoder()
_MD5 = "MANIFEST_MD5"
_SHOWN = 100
"""References that a version shows with their versions and etags."""
_PREFIXES = 1_000
"""More folders than this are collapsed into those above them while a manifest is read."""


_STEP = 2**16
_LONGEST = 2**20
"""An entry beyond this is none."""


class Unreadable(Exception):
    """A manifest that is none."""


def entries(body: bytes) -> Iterator[tuple[str, Json]]:
    """The entries of a manifest one by one: of a huge one, never more than a window stands in memory as text. Raises
    `Unreadable`."""
    window = _Window(body)
    window.skip_to(_CONTENTS)
    while True:
        window.skip(_NEXT)
        if window.is_before("}"):
            return
        path = window.value()
        window.skip(_COLON)
        entry = window.value()
        if not isinstance(path, str):
            raise Unreadable(f"an entry without a path before place {window.place:,}")
        yield path, entry


class _Window:
    """A part of a text that lies there as bytes; it grows where one value does not fit into it."""

    def __init__(self, body: bytes) -> None:
        self._rest = memoryview(body)
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._text = ""
        self._at = self._passed = 0
        self._read(_STEP)

    @property
    def place(self) -> int:
        """How many characters were passed."""
        return self._passed + self._at

    def skip_to(self, pattern: re.Pattern[str]) -> None:
        """Behind the first place where it matches."""
        while (found := pattern.search(self._text)) is None:
            if not self._read(_STEP):
                raise Unreadable("it has no contents")
        self._at = found.end()

    def skip(self, pattern: re.Pattern[str]) -> None:
        """Behind what matches here, if anything does."""
        if len(self._text) - self._at < _STEP:
            self._text, self._passed, self._at = self._text[self._at :], self.place, 0
            self._read(_STEP)
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def is_before(self, sign: str) -> bool:
        """Whether it comes next."""
        return self._text.startswith(sign, self._at)

    def value(self) -> Json:
        """The JSON that stands here."""
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._text, self._at)
            except (JSONDecodeError, RecursionError) as error:
                step = len(self._text) - self._at  # twice as much each time: a long one is not read over and over
                if isinstance(error, RecursionError) or step > _LONGEST or not self._read(step):
                    raise Unreadable(f"it breaks off or is no JSON at place {self.place}") from error
            else:
                return value

    def _read(self, size: int) -> bool:
        piece, self._rest = self._rest[:size], self._rest[size:]
        self._text += self._decode(piece, not self._rest)
        return bool(piece)


@dataclass(slots=True)
class Folder:
    """What stands below one address, added up."""

    files: int = 0
    size: int = 0


class References:
    """What the entries of one version refer to, in bounded memory."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.files: dict[str, Json] = {}
        """Single addresses with what is told of each, until there are too many."""
        self.versions: dict[str, int] = {}
        """Ids of the versions whose entries are referred to."""
        self.entries = self.count = self.unhashed = self.unresolved = 0
        self._folders: dict[str, Folder] = {}
        self._former = ""
        self._sum = hashlib.md5(b"wandb-artifact-manifest-v1\n", usedforsecurity=False)
        self._is_sorted = True

    def add(self, path: str, entry: Json) -> None:
        """One more entry."""
        self.entries += 1
        self._hash(path, text(entry, "digest"))
        ref = text(entry, "ref")
        scheme, sign, rest = ref.partition("://")
        if not sign:
            return
        self.count += 1
        if scheme == "wandb-artifact":
            other = of_hex(rest.partition("/")[0])
            if other is None:
                self.unresolved += 1
            else:
                self.versions[other] = self.versions.get(other, 0) + 1
        elif scheme == "wandb-client-artifact":
            self.unresolved += 1
        else:
            self._outside(canonical_uri(ref), ref, entry)

    def _hash(self, path: str, digest: str) -> None:
        # The recipe sorts; manifests come sorted, and one that does not is not held in memory for this.
        self._is_sorted = self._is_sorted and path >= self._former
        self._former = path
        self._sum.update(f"{path}:{digest}\n".encode("utf-8", "replace"))

    def _outside(self, uri: str, ref: str, entry: Json) -> None:
        is_hash = text(entry, "digest") != ref
        self.unhashed += not is_hash
        self._add_to(uri.rpartition("/")[0], number(entry, "size"))
        if len(self.files) <= self.most:
            told: dict[str, Json] = {"uri": address(ref), "size": number(entry, "size"), "has_hash": is_hash}
            if is_hash:
                told["digest"] = text(entry, "digest")
            for name in ("versionID", "etag"):
                if written := text(entry, "extra", name):
                    told[name] = written
            self.files.setdefault(uri, told)

    def _add_to(self, folder: str, size: int) -> None:
        found = self._folders.setdefault(folder, Folder())
        found.files += 1
        found.size += size
        if len(self._folders) > _PREFIXES:
            self._folders = _collapsed(self._folders, _PREFIXES // 2)

    @property
    def digest(self) -> str | None:
        """The digest by the vendor's recipe; None where the entries did not come in order."""
        return self._sum.hexdigest() if self._is_sorted else None

    def places(self) -> dict[str, Folder]:
        """The addresses that are told of: single files, or where there are too many the folders above them."""
        if len(self.files) <= self.most:
            return {uri: Folder(1, number(told, "size")) for uri, told in self.files.items()}
        return {f"{folder}/": one for folder, one in _collapsed(self._folders, self.most).items()}


def _collapsed(folders: dict[str, Folder], most: int) -> dict[str, Folder]:
    """At most so many folders: the deepest go into those above them, but never out of their bucket."""
    while len(folders) > most:
        depth = max(one.count("/") for one in folders)
        if depth <= 2:
            break
        higher: dict[str, Folder] = {}
        for folder, one in folders.items():
            above = folder.rpartition("/")[0] if folder.count("/") == depth else folder
            found = higher.setdefault(above, Folder())
            found.files += one.files
            found.size += one.size
        folders = higher
    return folders


def read(body: bytes, most: int) -> References:
    """Everything that a manifest refers to. Raises `Unreadable`."""
    found = References(most)
    for path, entry in entries(body):
        found.add(path, entry)
    return found


def scope(raw: Json, found: References, home: Project) -> Scope:
    """What a manifest says of its version: where it came from."""
    native_id = version_id(text(raw, "id"))
    records = [_version(raw, native_id, found)]
    edges: list[Edge] = []
    for uri, one in found.places().items():
        records.append(_outside(uri, one))
        edges.append(_derived(f"file/{uri}", raw))
    for other in found.versions:
        if version_id(other) != native_id:
            edges.append(_derived(version_id(other), raw))
    return Scope(scope_key(raw, home), tuple(records), tuple(edges))


def scope_key(raw: Json, home: Project) -> str:
    """What holds all that the manifest of a version says."""
    return f"{keeper(raw, home).family('manifest')}/{text(raw, 'id')}"


def _derived(upstream: str, raw: Json) -> Edge:
    made = moment(field(raw, "createdAt"))
    return Edge(upstream, version_id(text(raw, "id")), EdgeKind.DERIVE, evidence=Evidence.DECLARED, valid_from=made)


def remarks(raw: Json, found: References) -> Iterator[Skipped]:
    """What is to be known of a manifest that was read."""
    what = f"manifest of {version_id(text(raw, 'id'))}"
    if found.unresolved:
        reason = f"{found.unresolved} references to artifacts cannot be followed: the client left them unresolved"
        yield Skipped(what, reason, lost=False)
    if _agrees(raw, found) is False:
        yield Skipped(what, "its entries do not add up to the digest that the version tells", lost=False)


def _agrees(raw: Json, found: References) -> bool | None:
    """Whether the entries add up to the version's digest; None: by another recipe, or out of order."""
    is_md5 = text(raw, "digestAlgorithm") in ("", _MD5) and re.fullmatch(r"[0-9a-f]{32}", text(raw, "digest"))
    return found.digest == text(raw, "digest") if is_md5 and found.digest is not None else None


def _version(raw: Json, native_id: str, found: References) -> Record:
    """As a stub, so that the manifest alone does not keep a version alive; its facets are added all the same."""
    told: dict[str, Json] = {"entries": found.entries, "references": found.count, "without_hash": found.unhashed}
    if found.count:
        told["files"] = list(found.files.values())[:_SHOWN]
        told["collapsed"] = len(found.files) > found.most
    if (agrees := _agrees(raw, found)) is not None:
        told["digest_agrees"] = agrees
    return Record(
        native_id,
        AssetKind.OTHER,
        "",
        described=False,
        facets={"manifest": told},
    )


def _outside(uri: str, one: Folder) -> Record:
    is_folder = uri.endswith("/")
    where = uri.rstrip("/")
    name = where.partition("://")[2] or where
    # A path is one of somebody's machine: the same on another machine is another file.
    here = Spelling(Form.LOCAL, ("", where[7:])) if where.startswith("file://") else Spelling(Form.URI, (where,))
    return Record(
        f"file/{uri}",
        AssetKind.DATASET,
        name,
        subtype="folder" if is_folder else "file",
        spellings=(here,),
        facets={"wandb": {"files": one.files}} if is_folder else {},
    )


def broken(raw: Json, reason: str, *, lost: bool = True) -> Skipped:
    """A manifest that could not be had; its version and what else is known of it stay. What there is no more to be had
    is not lost."""
    return Skipped(f"manifest of {version_id(text(raw, 'id'))}", f"{reason}; what it refers to is not known", lost=lost)


def mended(raw: Json) -> Skipped:
    """A manifest that could not be had before."""
    return Skipped(
        f"manifest of {version_id(text(raw, 'id'))}", "it could not be had before, and is read now", lost=False
    )


def has_one(raw: Json) -> bool:
    """Whether a version can have a manifest yet."""
    return field(raw, "state") in (None, "COMMITTED")
