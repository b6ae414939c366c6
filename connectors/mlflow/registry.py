"""What it means that no registered model is shown: MLflow answers `{}` to who may see none, as to who has none."""

from ...federation.connector import Batch
from ...federation.errors import SourceRefused
from ...federation.model import Skipped
from .api import V2, Api, Missing

_GRANT = "READ on registered models"


def nothing_registered(api: Api, workspace: str, known: str) -> Batch:
    """What is to be told of it; a failure where `known`, which was shown before, is not said to be gone."""
    if known and not _is_gone(api, known):
        hidden = (
            f"{workspace}: no registered model is shown any more, and MLflow does not say that {known!r} is gone: it "
            "answers 200 with nothing where a permission is missing. What was read before stays as it was"
        )
        return Batch(failures=(hidden,), missing_grants=(_GRANT,))
    reason = (
        "none is shown: there are none, or the credential may read none (MLflow answers the same to both); grant READ "
        "on the registered models that are to be read"
    )
    return Batch(skipped=(Skipped(f"{workspace}: registered models", reason, lost=False),))


def _is_gone(api: Api, name: str) -> bool:
    try:
        api.get(f"{V2}/registered-models/get", {"name": name})
    except Missing as error:
        return error.told
    except SourceRefused:
        return False
    return False
