"""What must stay apart whatever names it shares, and which claims would join it all the same."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Protocol

from .model import AssetKind
from .naming import ENVIRONMENT, Key

KEPT_APART = "one teller keeps these apart"
DIFFERENT_PLACES = "they are known to be in different places"
DIFFERENT_KINDS = "things of these kinds are never one"

_FAMILIES = {
    AssetKind.DATASET_VERSION: "dataset version",
    AssetKind.COLUMN: "column",
    AssetKind.FEATURE: "feature",
    AssetKind.RUN: "run",
    AssetKind.JOB: "job",
    AssetKind.EXPERIMENT: "experiment",
    AssetKind.CODE: "code",
}
_THING = "thing"
_BY_CLASS = {"column": "column", "run": "run", "process": "job", "code": "code"}
_VERSIONED = (
    (AssetKind.MODEL, AssetKind.MODEL_VERSION),
    (AssetKind.PROMPT, AssetKind.PROMPT_VERSION),
)

_NO_PLACE = frozenset({"openlineage", "native", "warehouse", "table-uuid", "mlflow-dataset"})
"""Systems whose authority is a word that some software was set up with: two words may well mean one place."""


class Told(Protocol):
    """A record, as far as it can forbid a join."""

    @property
    def source(self) -> str:
        """The source."""
        ...

    @property
    def teller(self) -> str:
        """Who keeps it apart from others within the source."""
        ...

    @property
    def kind(self) -> AssetKind:
        """Its kind."""
        ...

    @property
    def keys(self) -> tuple[Key, ...]:
        """Its keys."""
        ...


def family(kind: AssetKind, key: Key) -> str:
    """Keys join within one family of kinds only; what is of no known kind goes by the class of the key."""
    if kind is AssetKind.OTHER:
        return _BY_CLASS.get(key.text.partition("|")[0], _THING)
    return _FAMILIES.get(kind, _THING)


def conflicts(groups: Mapping[int, Iterable[Told]], *, stated: bool) -> Iterator[tuple[str, Set[int]]]:
    """Why some of these groups may not become one, and which; `stated`: their teller itself says that they are one."""
    if not stated:
        yield from _kept_apart(groups)
    yield from _elsewhere(groups)
    yield from _unlike(groups)


def between(claims: Mapping[int, Set[int]], apart: Set[int]) -> Set[int]:
    """The claims (by number, each over some groups) on a way between two of the groups that must stay apart."""
    left = {number: frozenset(groups) for number, groups in claims.items()}
    while True:
        ends = Counter(group for groups in set(left.values()) for group in groups)
        dead = {group for group, times in ends.items() if times == 1 and group not in apart}
        trimmed = {number: groups - dead for number, groups in left.items()}
        trimmed = {number: groups for number, groups in trimmed.items() if len(groups) > 1}
        if trimmed == left:
            return left.keys()
        left = trimmed


def _kept_apart(groups: Mapping[int, Iterable[Told]]) -> Iterator[tuple[str, Set[int]]]:
    told: dict[tuple[str, str], set[int]] = defaultdict(set)
    for group, records in groups.items():
        for record in records:
            told[record.source, record.teller].add(group)
    for apart in told.values():
        if len(apart) > 1:
            yield KEPT_APART, apart


def _elsewhere(groups: Mapping[int, Iterable[Told]]) -> Iterator[tuple[str, Set[int]]]:
    """Places of one system that no record itself has both of."""
    placed: dict[str, list[tuple[int, frozenset[str]]]] = defaultdict(list)
    for group, records in groups.items():
        for record in records:
            for system, places in _places(record).items():
                placed[system].append((group, places))
    for told in placed.values():
        if _are_several([places for _, places in told]):
            yield DIFFERENT_PLACES, {group for group, _ in told}


def _places(record: Told) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for key in record.keys:
        if (not key.strong or key.is_alias) and key.rule != ENVIRONMENT:
            continue
        _, system, authority, _ = key.parts
        if authority and system not in _NO_PLACE:
            found[system].add(authority)
    return {system: frozenset(places) for system, places in found.items()}


def _are_several(places: Iterable[frozenset[str]]) -> bool:
    """Whether these sets fall into parts that have nothing in common."""
    apart: list[frozenset[str]] = []
    for some in set(places):
        touched = [part for part in apart if part & some]
        apart = [part for part in apart if not part & some]
        apart.append(some.union(*touched))
    return len(apart) > 1


def _unlike(groups: Mapping[int, Iterable[Told]]) -> Iterator[tuple[str, Set[int]]]:
    kinds = {group: {record.kind for record in records} - {AssetKind.OTHER} for group, records in groups.items()}
    families = {group: {_FAMILIES.get(kind, _THING) for kind in some} for group, some in kinds.items()}
    if len(set[str]().union(*families.values())) > 1:
        yield DIFFERENT_KINDS, {group for group, some in families.items() if some}
    for thing, version in _VERSIONED:
        things = {group for group, some in kinds.items() if thing in some}
        versions = {group for group, some in kinds.items() if version in some}
        if things and versions:
            yield DIFFERENT_KINDS, things | versions
