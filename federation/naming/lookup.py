"""What a person pasted: under which native ids and keys it may be stored."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from ..model import AssetKind, Form, Spelling
from .datahub import urn_keys
from .key import EXACTLY, Key, key, name_keys
from .mlflow import Address, address, mlflow_key
from .openlineage import canonical, identifiers, run_uuid
from .page import addresses
from .quoting import cut
from .registry import Registry
from .spelling import keys
from .systems import DOTTED, OPENLINEAGE, WAREHOUSE

_CUTS = 64
"""Places where one text is cut; more than any real name has."""
_LONGEST = 4096

_CLASSES = frozenset({"data", "column", "process", "run", "model", "code", "other"})
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{32}")
_VERSION = re.compile(r"#[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
_WANDB = re.compile(r"[^/\s]+/[^/\s]+/[^/\s]+")
_WORDS = re.compile(r'[^/\s:"`]+(?:\.(?:[^/\s:."`]+|"(?:[^"]|"")*"))*')


@dataclass(frozen=True, slots=True)
class Lookup:
    """One way to look a text up."""

    kind: Literal["asset", "native", "key", "anywhere", "alias"]
    """asset: an asset's or record's number. native: a native id of any source. key: a key's whole text.
    anywhere: a key without its authority (`Key.placeless`), whatever the place.
    alias: (such a key of a thing, the name that one of its versions bears)."""
    value: str | tuple[str, str]
    folded: bool = False
    """Found only by letting go of case: an exact hit goes before."""


def spellings_of(text: str, registry: Registry = Registry.EMPTY) -> tuple[Lookup, ...]:
    """Every lookup that a pasted text may mean, exact before folded; no reading of it excludes another."""
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return ()
    found = dict.fromkeys(_all(text, registry))
    return tuple(sorted(found, key=lambda one: one.folded))


def _all(text: str, registry: Registry) -> Iterator[Lookup]:
    if text.isascii() and text.isdigit():
        yield Lookup("asset", text)
    yield Lookup("native", text)
    if text.count("|") == 3 and text.partition("|")[0] in _CLASSES:
        yield Lookup("key", text, folded=False)
    yield from _ids(text)
    yield from _node_ids(text, registry)
    yield from _mlflow(text)
    if text.startswith("urn:li:"):
        yield from _keyed(urn_keys(text, registry))
        return
    yield from _pages(text, registry)
    if ":/" in text or text.startswith("/"):
        yield from _keyed(keys(Spelling(Form.URI, (text,)), AssetKind.DATASET, registry))
    yield from _pairs(text, registry)
    yield from _dotted(text)
    yield from _wandb(text)


def _ids(text: str) -> Iterator[Lookup]:
    if _UUID.fullmatch(text):
        yield from _run(text)
        yield Lookup("key", f"data|table-uuid||{text.lower()}")
    elif _HEX.fullmatch(text):
        yield from _run(text)
        yield Lookup("anywhere", f"run|mlflow||{text}")
    elif text.startswith("m-") and text[2:].isalnum():
        yield Lookup("anywhere", f"model|mlflow||{text}")


def _node_ids(text: str, registry: Registry) -> Iterator[Lookup]:
    """Marquez's node ids. They hold colons that nothing escapes, so each is tried as the border."""
    kind, _, rest = text.partition(":")
    rest = _VERSION.sub("", rest)
    match kind:
        case "dataset":
            for namespace, name in _cuts(rest, ":"):
                yield from _dataset(namespace, name, registry)
        case "datasetField":
            for whole, field in islice(_cuts(rest, ":"), _CUTS):
                for namespace, name in islice(_cuts(whole, ":"), _CUTS):
                    yield from _column(namespace, name, field, registry)
        case "job":
            for namespace, name in (*_cuts(rest, ":"), *_cuts(rest, "/")):
                yield from _job(namespace, name, registry)
        case "run":
            yield from _run(rest)
        case _:
            return


def _pairs(text: str, registry: Registry) -> Iterator[Lookup]:
    """`namespace/name`, `namespace/name#field` and `namespace/name/field`."""
    for namespace, name in _cuts(text, "/"):
        yield from _dataset(namespace, name, registry)
        yield from _job(namespace, name, registry)
    for sign in "#/":
        whole, found, field = text.rpartition(sign)
        if found and field:
            for namespace, name in _cuts(whole, "/"):
                yield from _column(namespace, name, field, registry)


def _dotted(text: str) -> Iterator[Lookup]:
    """A full name in a catalogue, with or without the catalogue's own name in front."""
    if not _WORDS.fullmatch(text) or "." not in text:
        return
    parts = cut(text)
    for some in (parts, parts[1:]):
        if len(some) < 2:
            continue
        for system in (*DOTTED, WAREHOUSE):
            if system.tiers in (0, len(some)) or (len(some) == 2 and system.name in ("oracle", "athena")):
                named = identifiers(system, "anywhere", text if some is parts else ".".join(some))
                yield from _anywhere(name_keys(named, ""))
    yield Lookup("anywhere", key("data", OPENLINEAGE.name, "", text, strong=False, rule="").text)
    yield Lookup("anywhere", key("process", OPENLINEAGE.name, "", text, strong=False, rule="").text)


def _wandb(text: str) -> Iterator[Lookup]:
    if _WANDB.fullmatch(text):
        classes = ("data", "model") if ":" in text else ("run", "data", "model")
        for class_ in classes:
            yield Lookup("anywhere", key(class_, "wandb", "", text, strong=False, rule="").text)


def _mlflow(text: str) -> Iterator[Lookup]:
    meant = address(text)
    if meant is not None:
        yield from _addressed(meant, "")


def _pages(text: str, registry: Registry) -> Iterator[Lookup]:
    """The address of a page of a source: first in that very source, then wherever such a thing is."""
    for page in addresses(text, registry):
        if page.address is not None:
            yield from _addressed(page.address, page.instance)
        elif page.is_job:
            yield from _job(page.namespace, page.name, registry)
        elif page.run:
            yield from _run(page.run)
        else:
            yield from _dataset(page.namespace, page.name, registry)


def _addressed(meant: Address, instance: str) -> Iterator[Lookup]:
    one = mlflow_key(instance, "", meant.type, meant.id)
    if meant.alias is not None:
        yield Lookup("alias", (one.placeless, meant.alias))
        return
    if instance:
        yield Lookup("key", one.text)
    yield Lookup("anywhere", one.placeless)
    if meant.type == "model-version":
        # Prompts live in the same registry, and old clients address them like models.
        yield Lookup("anywhere", mlflow_key("", "", "prompt-version", meant.id).text)


def _dataset(namespace: str, name: str, registry: Registry) -> Iterator[Lookup]:
    yield Lookup("native", "/".join(canonical(namespace, name)))
    yield from _keyed(keys(Spelling(Form.OPENLINEAGE, (namespace, name)), AssetKind.DATASET, registry))
    if "/" not in name and ":" in namespace:
        yield from _keyed(keys(Spelling(Form.SYMLINK, (namespace, name, "TABLE")), AssetKind.DATASET, registry))


def _column(namespace: str, name: str, field: str, registry: Registry) -> Iterator[Lookup]:
    yield Lookup("native", f"{'/'.join(canonical(namespace, name))}#{field}")
    yield from _keyed(keys(Spelling(Form.FIELD, (namespace, name, field)), AssetKind.COLUMN, registry))


def _job(namespace: str, name: str, registry: Registry) -> Iterator[Lookup]:
    yield Lookup("native", f"job:{namespace}/{name}")
    yield from _keyed(keys(Spelling(Form.OPENLINEAGE_JOB, (namespace, name)), AssetKind.JOB, registry))


def _run(run_id: str) -> Iterator[Lookup]:
    yield Lookup("native", f"run:{run_uuid(run_id)}")
    for one in keys(Spelling(Form.OPENLINEAGE_RUN, (run_id,)), AssetKind.RUN, Registry.EMPTY):
        yield Lookup("key", one.text)


def _keyed(found: Iterable[Key]) -> Iterator[Lookup]:
    for one in found:
        if one.strong:
            yield Lookup("key", one.text, one.is_folded)
        elif one.parts[1] not in ("environment", "name"):
            yield Lookup("anywhere", one.placeless, one.is_folded)


def _anywhere(found: Iterable[Key]) -> Iterator[Lookup]:
    for one in found:
        if not one.is_folded or not one.parts[3].startswith(EXACTLY):
            yield Lookup("anywhere", one.placeless, one.is_folded)


def _cuts(text: str, sign: str) -> Iterator[tuple[str, str]]:
    """Every way to cut a text in two at a sign; nothing on a side is no way."""
    at = text.find(sign)
    for _ in range(_CUTS):
        if at < 0:
            return
        if 0 < at < len(text) - 1 and not _splits_a_scheme(text, at):
            yield text[:at], text[at + 1 :]
        at = text.find(sign, at + 1)


def _splits_a_scheme(text: str, at: int) -> bool:
    """The border would fall inside `scheme://`."""
    return text.startswith("//", at + 1) or (text[at] == "/" and text.endswith((":", ":/"), 0, at))
