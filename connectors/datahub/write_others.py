"""What other platforms tell, as DataHub holds it: the thing, its columns, its edges."""

from ...federation.dossier import Dossier, facts
from .options import Options
from .write_columns import columns
from .write_draft import Draft
from .write_edges import Edges
from .write_names import Names
from .write_plan import Plan
from .write_things import Things


def things(options: Options, dossier: Dossier) -> Plan:
    """What a thing says of itself."""
    draft, names = Draft(Plan(dossier)), Names(options, dossier)
    if names.type_of(dossier.record) == "schemaField":
        for fact in facts(dossier):
            if not fact[1].startswith("edges/"):
                draft.refuse(fact, "a column whose dataset nobody told has no place in DataHub")
    else:
        Things(draft, names).tell()
    columns(draft, names)
    Edges(draft, names).things()
    return draft.done()


def beyond(options: Options, dossier: Dossier) -> Plan:
    """What it adds to the aspects of others."""
    draft, names = Draft(Plan(dossier)), Names(options, dossier)
    Edges(draft, names).beyond()
    return draft.done()
