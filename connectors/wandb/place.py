"""What a thing of Weights & Biases is called for ever, what people call it, and where its page is."""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from ...federation.model import AssetKind, Form, Json, Spelling
from ...federation.naming.wandb import HOSTED, instance_of
from .options import Options
from .wire import text

_PAGES = "https://forge.coreweave.com/wandb"


@dataclass(frozen=True, slots=True)
class Place:
    """One instance, its address, and the time of the read."""

    instance: str
    pages: str
    now: datetime
    options: Options = field(default_factory=Options)

    @classmethod
    def of(cls, url: str, now: datetime, options: Options) -> "Place":
        """The place behind an address: both names of the hosted service are one instance, and have one page."""
        instance = instance_of(url)
        return cls(instance, _PAGES if instance == HOSTED else url.rstrip("/"), now, options)

    def page(self, *parts: str) -> str | None:
        """The address of a thing's page."""
        return "/".join((self.pages, *(quote(part, safe="") for part in parts))) if self.pages else None

    def spellings(self, type_: str, id_: str, path: str = "") -> tuple[Spelling, ...]:
        """The id, and the path that people write."""
        found = (Spelling(Form.WANDB, (self.instance, type_, id_)),)
        return (*found, Spelling(Form.WANDB, (self.instance, type_, path))) if path else found


@dataclass(frozen=True, slots=True)
class Project:
    """A project as all that stands in it refers to it."""

    id: str
    entity: str
    name: str

    @classmethod
    def of(cls, raw: Json) -> "Project":
        """Read one."""
        return cls(text(raw, "id"), text(raw, "entityName"), text(raw, "name"))

    @property
    def path(self) -> str:
        """`entity/project`."""
        return f"{self.entity}/{self.name}"

    @property
    def native_id(self) -> str:
        """For ever, also when it is renamed."""
        return f"project/{self.id}"

    @property
    def is_registry(self) -> bool:
        """Whether it is no place of runs but a registry of models and datasets."""
        return self.name.startswith("wandb-registry-") or self.name == "model-registry"

    def family(self, what: str) -> str:
        """The listing of one kind of thing in this project."""
        return f"{what}:{self.id.replace('/', '_')}"


def run_id(id_: str) -> str:
    """A run."""
    return f"run/{id_}"


def version_id(id_: str) -> str:
    """A version of an artifact."""
    return f"version/{id_}"


def collection_id(id_: str) -> str:
    """A collection: a sequence, or a portfolio of a registry."""
    return f"collection/{id_}"


def sweep_id(id_: str) -> str:
    """A sweep."""
    return f"sweep/{id_}"


def of_hex(digits: str) -> str | None:
    """The id that a `wandb-artifact://` address writes in hexadecimal digits; None if it is none."""
    try:
        return base64.b64encode(bytes.fromhex(digits)).decode() if digits else None
    except ValueError:
        return None


def told_in(id_: str) -> list[str]:
    """The parts of an id that is readable (`Run:v1:<run>:<project>:<entity>`); nothing where it is not."""
    try:
        return base64.b64decode(id_, validate=True).decode().split(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return []


def kinds_of(type_: str) -> tuple[AssetKind, AssetKind, str]:
    """The kinds of a collection and of its versions, and the word for both in spellings."""
    if type_.lower() == "model":
        return AssetKind.MODEL, AssetKind.MODEL_VERSION, "model"
    return AssetKind.DATASET, AssetKind.DATASET_VERSION, "dataset"
