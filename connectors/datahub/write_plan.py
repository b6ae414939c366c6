"""What is to be put into DataHub for one thing, and which fact each part of it carries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    kept: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of the proposal's fields and items, those in whose place another word stands, and whose it is."""

    def and_then(self, other: "Fate") -> "Fate":
        """What became of an aspect that was proposed twice: the first trouble stands."""
        return self if self.verdict is not Verdict.MIGRATED else replace(other, kept={**self.kept, **other.kept})

    def stands_instead(self, item: str) -> str:
        """Whose word stands in the place of an item, or of a part of it; empty: nobody's."""
        told = (why for name, why in self.kept.items() if name == item or name.startswith(f"{item}/"))
        return next(told, "") if item else ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one fact if the target takes what carries it."""

    verdict: Verdict
    reason: str = ""
    keys: tuple[Key, ...] = ()
    """The aspects that carry it, all of them; an empty name: that the thing is there, whatever is told of it."""
    item: str = ""
    """Which field or item of the first of them it is; empty: it is none."""
    target: str = ""


@dataclass(slots=True)
class Plan:
    """All that one round puts there for one dossier, and what it decides."""

    dossier: Dossier
    proposals: list[Proposal] = field(default_factory=list[Proposal])
    decisions: dict[Fact, Decision] = field(default_factory=dict[Fact, Decision])
    asked: dict[Fact, tuple[Key, bytes]] = field(default_factory=dict[Fact, tuple[Key, bytes]])
    """Facts that an aspect carries which another call wrote, with their values: whether it stands is looked up."""

    def decide(
        self, fact: Fact, verdict: Verdict, reason: str = "", keys: Sequence[Key] = (), item: str = "", target: str = ""
    ) -> None:
        """Say what becomes of a fact; what was said first stands."""
        where = target or (keys[0][0] if keys else "")
        self.decisions.setdefault(fact, Decision(verdict, reason, tuple(keys), item, where))

    def outcomes(self, fates: Mapping[Key, Fate]) -> Iterator[Outcome]:
        """One outcome for each fact that is decided, after what the target made of the proposals."""
        for fact in dict.fromkeys(facts(self.dossier)):
            made = self.decisions.get(fact)
            if made is not None:
                fate = _fate(made, fates)
                told = made if fate.verdict is Verdict.MIGRATED else fate
                yield Outcome(*fact, told.verdict, told.reason, made.target)


def _fate(made: Decision, fates: Mapping[Key, Fate]) -> Fate:
    """That of all aspects that carry it: one that failed, else one in whose place another word stands."""
    found = [_of_thing(key[0], fates) if not key[1] else fates.get(key, _NOWHERE) for key in made.keys]
    if found and (whose := found[0].stands_instead(made.item)):
        found.append(Fate(Verdict.KEPT, whose))
    bad = [one for one in found if one.verdict is not Verdict.MIGRATED]
    return next((one for one in bad if one.verdict is Verdict.FAILED), bad[0] if bad else Fate())


def _of_thing(urn: str, fates: Mapping[Key, Fate]) -> Fate:
    """Whether a thing is there: unless all that was told of it failed."""
    some = [fate for key, fate in fates.items() if key[0] == urn]
    return some[0] if some and all(one.verdict is Verdict.FAILED for one in some) else Fate()


_NOWHERE = Fate(Verdict.FAILED, "nothing that was written carries it: report it")


def is_cut(value: Json) -> bool:
    """Whether something was cut out of a value for being a secret."""
    return b"[redacted: " in orjson.dumps(value)


def sized(value: Json) -> bytes:
    """A value as it is measured and compared."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
