"""Questions and honest answers: lineage, impact, paths, which asset is meant, how complete an answer is."""

from .answers import Walk
from .inquiry import Inquiry

__all__ = ["Inquiry", "Walk"]
