"""Aspects of one thing while they grow, and the facts that each of them carries."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ...federation.dossier import Verdict
from ...federation.model import Json
from .write_plan import Fact, Key, Plan, Proposal, is_cut

_LONGEST = 4000
_TEXT = "stands as text in the custom properties"
Value = dict[str, Any]


class Draft:
    """What one round makes of one dossier; aspects of several entities may grow in it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._aspects: dict[tuple[str, str], Value] = {}
        self._fills: set[tuple[str, str]] = set()
        self._series: list[Proposal] = []

    def aspect(self, urn: str, name: str, *, fills: bool = False) -> Value:
        """An aspect, to be filled."""
        if fills:
            self._fills.add((urn, name))
        return self._aspects.setdefault((urn, name), {})

    def add(self, urn: str, aspect: str, name: str, item: Json, *, fills: bool = False) -> None:
        """One item of a list of an aspect, once."""
        listed: list[Json] = self.aspect(urn, aspect, fills=fills).setdefault(name, [])
        if item not in listed:
            listed.append(item)

    def link(self, urn: str, aspect: str, name: str, item: Mapping[str, Json], *, fills: bool = False) -> None:
        """One edge in a list of them, once for each thing that it leads to."""
        listed: list[Mapping[str, Json]] = self.aspect(urn, aspect, fills=fills).setdefault(name, [])
        by = "dataset" if "dataset" in item else "destinationUrn"
        if all(one[by] != item[by] for one in listed):
            listed.append(item)

    def event(self, urn: str, aspect: str, value: Value) -> None:
        """One event of a series."""
        self._series.append(Proposal(urn, aspect, value))

    def carry(
        self, fact: Fact, urn: str, aspect: str, reason: str = "", item: str = "", also: Sequence[Key] = ()
    ) -> None:
        """A fact that an aspect, or several, hold: as it was told, or in another form for a reason."""
        verdict = Verdict.TRANSFORMED if reason else Verdict.MIGRATED
        self._plan.decide(fact, verdict, reason, ((urn, aspect), *also), item)

    def refuse(self, fact: Fact, reason: str) -> None:
        """A fact that has no place there."""
        self._plan.decide(fact, Verdict.UNSUPPORTED, reason)

    def note(self, fact: Fact, urn: str, aspect: str, name: str, value: Json) -> None:
        """A fact that has no place of its own stands among the custom properties, if it is short."""
        text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        if len(text) > _LONGEST:
            self.refuse(fact, f"longer than the {_LONGEST:,} characters that a custom property is given")
            return
        self.aspect(urn, aspect).setdefault("customProperties", {})[name] = text
        self.carry(fact, urn, aspect, f"{_TEXT}{'; a secret was cut out' if is_cut(value) else ''}")

    def done(self) -> Plan:
        """All proposals, in the order in which their aspects were begun."""
        self._plan.proposals += [
            Proposal(*key, value, fills=key in self._fills) for key, value in self._aspects.items() if value
        ]
        self._plan.proposals += self._series
        return self._plan
