"""MLflow's addresses: which thing of which server and workspace is meant."""

import re
from dataclasses import dataclass

from .key import Key, key

RULE = "MLflow id"
DEFAULT_WORKSPACE = "default"

_CLASSES = {
    "run": "run",
    "model": "model",
    "model-version": "model",
    "logged-model": "model",
    "dataset": "data",
    "job": "process",
    "code": "code",
}
_BARE = frozenset({"run", "model", "model-version", "logged-model"})
"""Types whose ids need no type in front of them: their class says enough."""

_PLURALS = {
    "models": "model",
    "runs": "run",
    "experiments": "experiment",
    "prompts": "prompt",
    "logged-models": "logged-model",
    "datasets": "dataset",
    "deployments": "deployment",
}
_LOGGED = re.compile(r"m-[0-9a-zA-Z]+")
_URI = re.compile(r"(models|prompts|runs):/+([^?#]+)")


@dataclass(frozen=True, slots=True)
class Address:
    """What one of MLflow's URIs names; `alias` where it names a version by an alias or a stage."""

    type: str
    id: str
    alias: str | None = None


def mlflow_key(instance: str, workspace: str, type_: str, id_: str, *, strong: bool = True, rule: str = RULE) -> Key:
    """The key of one thing of one server; without an instance it says what is meant, and not where."""
    path = id_ if type_ in _BARE else f"{_kind_of(type_)}/{id_}"
    strong = strong and bool(instance and id_)
    return key(class_of(type_), "mlflow", _where(instance, workspace), path, strong=strong, rule=rule)


def class_of(type_: str) -> str:
    """The class of the keys of one type of thing."""
    return _CLASSES.get(type_, "other")


def dataset_key(instance: str, workspace: str, experiment: str, name: str, digest: str) -> Key:
    """A dataset that has no place of its own: known within its experiment by name and digest."""
    path = "/".join((experiment.replace("/", "%2F"), f"{name}@{digest}"))
    where = _where(instance, workspace)
    return key("data", "mlflow-dataset", where, path, strong=bool(instance), rule="MLflow dataset")


def address(uri: str) -> Address | None:
    """What `models:/…`, `prompts:/…` or `runs:/…` names; None if it is none of them."""
    found = _URI.fullmatch(uri)
    if found is None:
        return None
    scheme, rest = found[1], found[2].strip("/")
    if scheme == "runs":
        return Address("run", rest.partition("/")[0])
    if scheme == "models" and _LOGGED.fullmatch(rest.partition("/")[0]) and "@" not in rest:
        return Address("logged-model", rest.partition("/")[0])
    return _version(scheme.removesuffix("s"), rest)


def paired(name: str) -> Address | None:
    """What the name of an OpenLineage pair with an mlflow:// namespace names: `models/churn/3`, `runs/<id>`."""
    plural, _, rest = name.partition("/")
    type_ = _PLURALS.get(plural)
    if type_ is None or not rest:
        return None
    return _version(type_, rest) if type_ in ("model", "prompt") else Address(type_, rest)


def _version(type_: str, rest: str) -> Address:
    """`churn`, `churn/3`, `churn@champion` or `churn/Production`."""
    name, at, alias = rest.partition("@")
    if at:
        return Address(type_, name.partition("/")[0], alias)
    name, slash, version = rest.partition("/")
    version = version.partition("/")[0]
    if not slash or not version:
        return Address(type_, name)
    if version.isdigit():
        return Address(f"{type_}-version", f"{name}/{version}")
    return Address(type_, name, version)


def _kind_of(type_: str) -> str:
    """A version and its thing share the front: `prompt/qa` and `prompt/qa/3`."""
    return type_.removesuffix("-version")


def _where(instance: str, workspace: str) -> str:
    return f"{instance}/{workspace or DEFAULT_WORKSPACE}" if instance else ""
