"""What Weights & Biases calls its things: ids that last, paths that people write, hosts that are one tenant."""

import re
from urllib.parse import urlsplit

from .key import Key, key

RULE = "Weights & Biases id"
HOSTED = "saas"
"""The instance that several hosts of the vendor lead to."""

_CLASSES = {
    "run": "run",
    "model": "model",
    "model-version": "model",
    "dataset": "data",
    "dataset-version": "data",
    "job": "process",
}
_HOSTS = frozenset({"api.wandb.ai", "wandb.ai", "www.wandb.ai", "api.forge.coreweave.com", "forge.coreweave.com"})
_RUN = re.compile(r"[^/\s:]+/[^/\s:]+/[^/\s:]+")


def instance_of(url: str) -> str:
    """Which tenant answers at an address: the hosted one by whatever name, else the host with its port."""
    where = urlsplit(url).netloc.rpartition("@")[2].lower()
    return HOSTED if where.partition(":")[0] in _HOSTS else where


def wandb_key(instance: str, type_: str, name: str) -> Key:
    """The key of an id or of a path. A run's path is as lasting as its id; a collection's name may be given anew."""
    lasts = "/" not in name or (type_ == "run" and _RUN.fullmatch(name) is not None)
    class_ = _CLASSES.get(type_, "other")
    path = name if class_ != "other" else f"{type_}/{name}"
    return key(class_, "wandb", instance, path, strong=bool(instance) and lasts, rule=RULE)
