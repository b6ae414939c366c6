"""Many spellings of one place, one key: OpenLineage's naming is the canon, every system's rule of case is kept."""

from .key import ENVIRONMENT, RULES, Key
from .lookup import Lookup, spellings_of
from .openlineage import canonical as openlineage_canonical
from .openlineage import run_uuid
from .registry import Registry
from .spelling import keys, keys_of
from .suspects import is_suspect
from .uri import canonical_uri

__all__ = [
    "ENVIRONMENT",
    "RULES",
    "Key",
    "Lookup",
    "Registry",
    "canonical_uri",
    "is_suspect",
    "keys",
    "keys_of",
    "openlineage_canonical",
    "run_uuid",
    "spellings_of",
]
