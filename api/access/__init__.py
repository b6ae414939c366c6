"""Who may ask what: tokens, roles, and what counts as local."""

from .access import Access
from .caller import LOCAL, Caller, Entry, caller_of, entry_of
from .gate import Gate
from .roles import DOORS, OPEN, Role, check, may
from .token import make

__all__ = [
    "DOORS",
    "LOCAL",
    "OPEN",
    "Access",
    "Caller",
    "Entry",
    "Gate",
    "Role",
    "caller_of",
    "check",
    "entry_of",
    "make",
    "may",
]
