"""The inlet: takes OpenLineage events as Marquez does, safely stored before it answers."""

from .follower import Follower
from .intake import Busy, Intake
from .routes import Inlet

__all__ = ["Busy", "Follower", "Inlet", "Intake"]
