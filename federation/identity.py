"""Which records are one asset, and why: a pure function of the keys that they hold."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from operator import attrgetter

from .apart import KEPT_APART, between, conflicts, family
from .model import AssetKind
from .naming import Key

SUSPICIOUS = 20
"""An asset of more records than this is reported, and kept."""
TOO_MANY = f"more than {SUSPICIOUS} records are one asset"


@dataclass(frozen=True, slots=True)
class Member:
    """One record, as far as identity cares."""

    record: int
    source: str
    teller: str
    """Who keeps this record apart from others within the source."""
    kind: AssetKind
    keys: tuple[Key, ...]
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Why two records are one asset; the links of an asset span it."""

    left: int
    right: int
    rule: str
    score: float
    evidence: tuple[str, ...]
    """The keys that both hold and that join."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A key that would have joined what must stay apart, or that did join suspiciously many: worth a person's look."""

    key: str
    reason: str
    records: frozenset[int]


@dataclass(frozen=True, slots=True)
class Joins:
    """Who is one with whom. Records that are alone stand in no group."""

    groups: tuple[frozenset[int], ...]
    links: tuple[Link, ...]
    refused: tuple[Refusal, ...]


_SPECIFIC = (
    AssetKind.MODEL_VERSION,
    AssetKind.PROMPT_VERSION,
    AssetKind.DATASET_VERSION,
    AssetKind.COLUMN,
    AssetKind.RUN,
    AssetKind.MODEL,
    AssetKind.PROMPT,
    AssetKind.FEATURE_TABLE,
    AssetKind.FEATURE,
    AssetKind.INDEX,
    AssetKind.AGENT,
    AssetKind.DEPLOYMENT,
    AssetKind.DASHBOARD,
    AssetKind.EVALUATION,
    AssetKind.EXPERIMENT,
    AssetKind.JOB,
    AssetKind.CODE,
    AssetKind.DATASET,
    AssetKind.ARTIFACT,
    AssetKind.OTHER,
)
_SPECIFICITY = {kind: place for place, kind in enumerate(_SPECIFIC)}


def kind_of(kinds: Iterable[AssetKind]) -> AssetKind:
    """The most specific kind that was told."""
    return min(kinds, key=_SPECIFICITY.__getitem__, default=AssetKind.OTHER)


def resolve(members: Iterable[Member]) -> Joins:
    """Join records that hold equal strong keys, unless somebody who must know keeps them apart."""
    return _Resolution(sorted(members, key=attrgetter("record"))).joins()


class _Tier(IntEnum):
    """How good a reason is: better ones are weighed first, and a worse one never undoes what they joined."""

    STATED = 0
    """A teller says of two records of its own that they are one."""
    OWN = 1
    """The own names of both."""
    FOLDED = 2
    """The own names of both, but for their case."""
    ALIAS = 3
    """A name that was told of one of them as a further name."""


_SCORES = {_Tier.STATED: 1.0, _Tier.OWN: 1.0, _Tier.FOLDED: 0.99, _Tier.ALIAS: 0.97}


@dataclass(frozen=True, slots=True, order=True)
class _Claim:
    """A key that says: these are one."""

    tier: _Tier
    key: str
    family: str
    records: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Shared:
    """A key within a family of kinds, and the records that hold it."""

    key: str
    family: str
    holders: tuple[int, ...]


class _Resolution:
    """One run of `resolve`: groups grow tier by tier."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = {member.record: member for member in members}
        self._held = {
            member.record: {} if member.suspect else {key.text: key for key in member.keys if key.strong}
            for member in members
        }
        self._groups = _Groups(self._members)
        self._refused: dict[tuple[str, str], str] = {}
        self._accepted: list[_Claim] = []

    def joins(self) -> Joins:
        """Weigh every key, then tell who is one and why."""
        shared = self._shared()
        self._weigh([claim for one in shared for claim in self._stated(one)])
        for one in shared:
            if self._is_ambiguous(one):
                self._refused.setdefault((one.key, one.family), KEPT_APART)
        for tier in (_Tier.OWN, _Tier.FOLDED, _Tier.ALIAS):
            self._weigh([claim for one in shared for claim in self._claims(one, tier)])
        return Joins(self._groups.several(), tuple(self._links()), tuple(self._refusals(shared)))

    def _shared(self) -> list[_Shared]:
        """Every strong key that more than one record holds."""
        holders: dict[tuple[str, str], list[int]] = defaultdict(list)
        for record, held in self._held.items():
            kind = self._members[record].kind
            for text, key in held.items():
                holders[text, family(kind, key)].append(record)
        return [_Shared(*place, tuple(records)) for place, records in sorted(holders.items()) if len(records) > 1]

    def _stated(self, shared: _Shared) -> Iterator[_Claim]:
        """Of two records of one teller, one bears the name and the other has it as a further name."""
        for records in self._by_teller(shared.holders):
            owners = [record for record in records if not self._held[record][shared.key].is_alias]
            if len(records) == 2 and len(owners) == 1:
                yield _Claim(_Tier.STATED, shared.key, shared.family, tuple(records))

    def _is_ambiguous(self, shared: _Shared) -> bool:
        """One teller has the name for several things."""
        return any(len({self._groups.of(record) for record in some}) > 1 for some in self._by_teller(shared.holders))

    def _by_teller(self, records: Iterable[int]) -> list[list[int]]:
        told: dict[tuple[str, str], list[int]] = defaultdict(list)
        for record in records:
            told[self._members[record].source, self._members[record].teller].append(record)
        return [some for some in told.values() if len(some) > 1]

    def _claims(self, shared: _Shared, tier: _Tier) -> Iterator[_Claim]:
        if (shared.key, shared.family) in self._refused:
            return
        owners = tuple(record for record in shared.holders if not self._held[record][shared.key].is_alias)
        if tier is _Tier.ALIAS:
            if len(owners) < len(shared.holders):
                yield _Claim(tier, shared.key, shared.family, shared.holders)
        elif len(owners) > 1:
            folded = any(self._held[record][shared.key].is_folded for record in owners)
            if folded is (tier is _Tier.FOLDED):
                yield _Claim(tier, shared.key, shared.family, owners)

    def _weigh(self, claims: Sequence[_Claim]) -> None:
        """Accept the claims of one tier, but for those that together would join what must stay apart."""
        for some in self._components(claims):
            guilty = self._guilty(some)
            for claim in some:
                if claim in guilty:
                    self._refused.setdefault((claim.key, claim.family), guilty[claim])
            for claim in some:
                if claim not in guilty:
                    self._accepted.append(claim)
                    self._groups.join(claim.records)

    def _components(self, claims: Sequence[_Claim]) -> Iterator[list[_Claim]]:
        """Claims that touch a common group, directly or through others."""
        touched = _Groups(self._groups.of(record) for claim in claims for record in claim.records)
        for claim in claims:
            touched.join([self._groups.of(record) for record in claim.records])
        found: dict[int, list[_Claim]] = defaultdict(list)
        for claim in claims:
            found[touched.of(self._groups.of(claim.records[0]))].append(claim)
        yield from found.values()

    def _guilty(self, claims: Sequence[_Claim]) -> dict[_Claim, str]:
        """The claims that lead from one thing to another that must stay apart from it, and why it must."""
        over = {number: {self._groups.of(record) for record in claim.records} for number, claim in enumerate(claims)}
        over = {number: groups for number, groups in over.items() if len(groups) > 1}
        inside = {
            group: [self._members[record] for record in self._groups.records(group)]
            for groups in over.values()
            for group in groups
        }
        guilty: dict[_Claim, str] = {}
        for reason, apart in conflicts(inside, stated=claims[0].tier is _Tier.STATED):
            for number in between(over, apart):
                guilty.setdefault(claims[number], reason)
        return guilty

    def _links(self) -> Iterator[Link]:
        """The best reasons, as many as it takes to hold each group together."""
        accepted = sorted(self._accepted)
        over: dict[int, set[_Claim]] = defaultdict(set)
        for claim in accepted:
            for record in claim.records:
                over[record].add(claim)
        tree = _Groups(self._members)
        for claim in accepted:
            left, *others = claim.records
            for right in others:
                if tree.of(left) != tree.of(right):
                    tree.join((left, right))
                    evidence = sorted({both.key for both in over[left] & over[right]})
                    yield Link(left, right, self._rule(claim, left, right), _SCORES[claim.tier], tuple(evidence))

    def _rule(self, claim: _Claim, left: int, right: int) -> str:
        return " = ".join(sorted({self._held[left][claim.key].rule, self._held[right][claim.key].rule}))

    def _refusals(self, shared: Sequence[_Shared]) -> Iterator[Refusal]:
        """One for each key that was refused, and one for each group that is suspiciously large."""
        found: dict[str, Refusal] = {}
        for one in shared:
            reason = self._refused.get((one.key, one.family))
            if reason is not None:
                before = found.get(one.key, Refusal(one.key, reason, frozenset()))
                found[one.key] = Refusal(one.key, before.reason, before.records.union(one.holders))
        for claim in sorted(self._accepted):
            records = frozenset(self._groups.records(self._groups.of(claim.records[0])))
            if len(records) > SUSPICIOUS and all(records != other.records for other in found.values()):
                found.setdefault(claim.key, Refusal(claim.key, TOO_MANY, records))
        yield from (found[key] for key in sorted(found))


class _Groups:
    """Disjoint sets of numbers, each known by one of its own."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._of = {number: number for number in numbers}
        self._records: dict[int, list[int]] = {number: [number] for number in self._of}

    def of(self, number: int) -> int:
        """The group of a number."""
        return self._of[number]

    def records(self, group: int) -> Sequence[int]:
        """The numbers in a group."""
        return self._records[group]

    def join(self, numbers: Sequence[int]) -> None:
        """Make one group of those that hold these numbers."""
        groups = {self._of[number] for number in numbers}
        if len(groups) < 2:
            return
        largest = max(groups, key=lambda group: (len(self._records[group]), -group))
        for group in groups - {largest}:
            moved = self._records.pop(group)
            self._records[largest].extend(moved)
            for number in moved:
                self._of[number] = largest

    def several(self) -> tuple[frozenset[int], ...]:
        """The groups of more than one, by their smallest number."""
        return tuple(sorted((frozenset(some) for some in self._records.values() if len(some) > 1), key=min))
