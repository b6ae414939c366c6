"""What other platforms tell, as DataHub holds it."""

from ...federation.dossier import Dossier, Verdict, facts
from .write_options import WriteOptions
from .write_plan import Plan


class Others:
    """One thing of another platform."""

    def __init__(self, options: WriteOptions, dossier: Dossier) -> None:
        self._options = options
        self._dossier = dossier

    def things(self) -> Plan:
        """Nothing so far, which is said of each fact."""
        plan = Plan(self._dossier)
        for fact in facts(self._dossier):
            plan.decide(fact, Verdict.UNSUPPORTED, f"{self._dossier.platform} is not written into DataHub")
        return plan

    def beyond(self) -> Plan:
        """Nothing so far."""
        return Plan(self._dossier)
