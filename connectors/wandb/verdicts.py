"""What the writer says of each fact that it is handed: every one once, and those that it forgot as not held."""

from collections.abc import Iterator

from ...federation.dossier import Dossier, Outcome, Verdict, facts
from ...federation.model import AssetKind, EdgeKind
from .calling import PROCESSES, TYPES
from .calling import VERSIONS as ARTIFACTS

RUNS, VERSIONS, USES, WHOLES = "runs", "versions", "uses", "wholes"
_EARLY = (*PROCESSES, AssetKind.EXPERIMENT, AssetKind.CODE)
_LATE = (f"edges/{EdgeKind.READ}", f"edges/{EdgeKind.WRITE}")
_NOWHERE = "Weights & Biases has no place for it"


class Said:
    """Verdicts on the facts of one dossier."""

    def __init__(self, dossier: Dossier) -> None:
        self._dossier = dossier
        self._here = dossier.record.native_id
        self._found: dict[tuple[str, str], tuple[Verdict, str, str]] = {}

    def held(self, fact: str, target: str = "", of: str = "") -> None:
        """As it was told."""
        self._note(of, fact, Verdict.MIGRATED, "", target)

    def changed(self, fact: str, reason: str, target: str = "", of: str = "") -> None:
        """In another form."""
        self._note(of, fact, Verdict.TRANSFORMED, reason, target)

    def lost(self, fact: str, reason: str, of: str = "") -> None:
        """Not at all."""
        self._note(of, fact, Verdict.UNSUPPORTED, reason, "")

    def refused(self, fact: str, reason: str, of: str = "") -> None:
        """The target would not take it."""
        self._note(of, fact, Verdict.FAILED, reason, "")

    def exactly(self, fact: str, is_exact: bool, reason: str, target: str = "") -> None:  # the claim itself
        """As it was told, if it is; else in another form."""
        if is_exact:
            self.held(fact, target)
        else:
            self.changed(fact, reason, target)

    def _note(self, of: str, fact: str, verdict: Verdict, reason: str, target: str) -> None:
        self._found[of or self._here, fact] = (verdict, reason, target)

    def outcomes(self, stage: str, failure: str, default: str = _NOWHERE) -> Iterator[Outcome]:
        """One of each fact that this round answers for."""
        for native_id, fact in facts(self._dossier):
            if stage_of(self._dossier, fact) != stage:
                continue
            found = self._found.get((native_id, fact))
            if found is None:
                found = (Verdict.FAILED, failure, "") if failure else (Verdict.UNSUPPORTED, default, "")
            yield Outcome(native_id, fact, *found)


def stage_of(dossier: Dossier, fact: str) -> str:
    """The round that answers for a fact: what runs read and wrote is known when all versions stand, and what is said of
    a collection when all of them are linked."""
    if dossier.record.kind in TYPES and dossier.record.kind not in ARTIFACTS:
        return WHOLES
    if dossier.record.kind not in _EARLY or (fact.startswith(_LATE) and "/CODE:" not in fact):
        return USES
    return RUNS
