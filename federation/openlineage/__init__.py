"""OpenLineage events in, scopes out, and the graph as events again: pure, whatever order they come in."""

from .admit import Admitted, Limits, Warned, admit
from .decode import encode
from .export import Event, Profile, export, lines
from .export_losses import Loss, Lost
from .project import Projection, project
from .redact import Cut, scrub
from .refused import Refused
from .subjects import ExportSource, Gathered, Subject, owner

__all__ = [
    "Admitted",
    "Cut",
    "Event",
    "ExportSource",
    "Gathered",
    "Limits",
    "Loss",
    "Lost",
    "Profile",
    "Projection",
    "Refused",
    "Subject",
    "Warned",
    "admit",
    "encode",
    "export",
    "lines",
    "owner",
    "project",
    "scrub",
]
