"""What is to be put into DataHub for one thing, and which fact each part of it carries."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from ...federation.dossier import Dossier, Outcome, Verdict, facts
from ...federation.model import Json

Key = tuple[str, str]
"""A URN and the name of one of its aspects."""
Fact = tuple[str, str]
"""The native id of whom it is said, and its name, as `dossier.facts` gives them."""
CUT = "what looked like a secret was cut out when it was read"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One aspect as it shall stand."""

    urn: str
    aspect: str
    value: Mapping[str, Any]
    fills: bool = False
    """It only adds: what is told there already stands, item by item."""

    @property
    def key(self) -> Key:
        """What it is about."""
        return self.urn, self.aspect


@dataclass(frozen=True, slots=True)
class Fate:
    """What the target made of one proposal."""

    verdict: Verdict = Verdict.MIGRATED
    reason: str = ""
    kept: frozenset[str] = frozenset()
    """Of the proposal's items, those that a person has there."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one fact if the target takes what carries it."""

    verdict: Verdict
    reason: str = ""
    urn: str = ""
    aspect: str = ""
    item: str = ""
    """By which name it stands in a list of that aspect; empty: it is no item."""


@dataclass(slots=True)
class Plan:
    """All that one round puts there for one dossier, and what it decides."""

    dossier: Dossier
    proposals: list[Proposal] = field(default_factory=list[Proposal])
    decisions: dict[Fact, Decision] = field(default_factory=dict[Fact, Decision])

    def decide(self, fact: Fact, verdict: Verdict, reason: str = "", key: Key = ("", ""), item: str = "") -> None:
        """Say what becomes of a fact; what was said first stands."""
        self.decisions.setdefault(fact, Decision(verdict, reason, *key, item))

    def outcomes(self, fates: Mapping[Key, Fate]) -> Iterator[Outcome]:
        """One outcome for each fact that is decided, after what the target made of the proposals."""
        for fact in dict.fromkeys(facts(self.dossier)):
            made = self.decisions.get(fact)
            if made is None:
                continue
            fate = fates.get((made.urn, made.aspect), Fate())
            if made.item and made.item in fate.kept:
                fate = Fate(Verdict.KEPT, "a person tells it there, whose word stands")
            if fate.verdict is Verdict.MIGRATED:
                yield Outcome(*fact, made.verdict, made.reason, made.urn)
            else:
                yield Outcome(*fact, fate.verdict, fate.reason, made.urn)


def is_cut(value: Json) -> bool:
    """Whether something was cut out of a value for being a secret."""
    return b"[redacted: " in orjson.dumps(value)


def sized(value: Json) -> bytes:
    """A value as it is measured and compared."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
