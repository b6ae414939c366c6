"""OpenLineage events in, scopes out, and the graph as events again: pure, whatever order they come in."""

from .admit import Admitted, Limits, Warned, admit
from .project import Projection, project
from .redact import Cut, scrub
from .refused import Refused

__all__ = ["Admitted", "Cut", "Limits", "Projection", "Refused", "Warned", "admit", "project", "scrub"]
