"""Which names of one warehouse, broker or host mean the same authority."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from .section import Conflict, Section, told
from .sources import Name
from .values import Text, Texts

UNKNOWN = "unknown"
"""The authority of a binding that says: never guess here."""

AuthorityName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_+-]*/\S+$")]
_CONTAINERS = ("platform", "service", "workspace", "metastore")


class Authority(Section):
    """One account, cluster or host."""

    aliases: Texts = Field(default=(), examples=[["acme-prod", "ab12345.us-west-2.aws"]])
    """Everything that tools call it."""


class Binding(Section):
    """A source, one container of it, or a pattern of OpenLineage namespaces, and the authority that it is."""

    source: Name | None = Field(default=None, examples=["catalog"])
    """Whose container is meant; left out, an OpenLineage namespace of any source."""
    platform: Text | None = Field(default=None, examples=["snowflake"])
    """DataHub: the platform."""
    instance: Text | None = Field(default=None, examples=["sf_main"])
    """DataHub: the platform instance."""
    env: Text | None = Field(default=None, examples=["PROD"])
    """DataHub: the environment."""
    service: Text | None = Field(default=None, examples=["snow_prod"])
    """OpenMetadata: the service's full name."""
    workspace: Text | None = Field(default=None, examples=["1234567890"])
    """MLflow or Unity Catalog: the workspace."""
    metastore: Text | None = Field(default=None, examples=["0e2c1c58-7a0f-4b6e-9a43-5d5b3f3f0f11"])
    """Unity Catalog: the metastore."""
    openlineage: Text | None = Field(default=None, examples=["snowflake://acme-prod"])
    """A pattern of namespaces in OpenLineage events."""
    authority: Annotated[str, StringConstraints(pattern=rf"^({UNKNOWN}|[a-z][a-z0-9_+-]*/\S+)$")] = Field(
        examples=["snowflake/acme-prod"]
    )
    """What it is, as declared under `authorities`; `unknown`: never guess."""

    @classmethod
    def conflicts(cls, given: Mapping[str, object]) -> Iterator[Conflict]:
        """No container, two of them, or one without its source."""
        containers = told(given, *_CONTAINERS, "openlineage")
        if not containers and not told(given, "source"):
            yield Conflict((), "names neither a source nor an openlineage namespace", "source: catalog")
        for other in containers[1:]:
            yield Conflict((other,), f"stands beside {containers[0]}: a binding has one container")
        if not told(given, "source") and containers and containers != ["openlineage"]:
            yield Conflict(("source",), f"is missing: a {containers[0]} belongs to one source", "source: catalog")
        for detail in told(given, "instance", "env"):
            if "platform" not in containers:
                yield Conflict((detail,), "needs a platform beside it", "platform: snowflake")
