"""Holds every GraphQL operation to the limits before any of it is done, whichever way it came in."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode
from strawberry.extensions import SchemaExtension

from ...config.settings import Limits
from .cost import cost_of
from .errors import LimitExceeded
from .limits import Documents

_LONG = 1000
"""A text of so many characters may take a while to judge."""


class Guard:
    """Judges operations against one schema's limits."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, documents: Documents) -> None:
        self._schema = schema
        self._limits = limits
        self._documents = documents

    async def refusal(
        self, query: str | None, variables: Mapping[str, Any] | None, name: str | None
    ) -> GraphQLError | None:
        """Why an operation is not even begun; None: it may be."""
        if not query:
            return None
        if len(query) > _LONG and not self._documents.knows(query):  # others shall not wait until it is judged
            judged = await asyncio.get_running_loop().run_in_executor(None, self._documents.judge, query)
        else:
            judged = self._documents.judge(query)
        if judged.document is None or judged.invalid:
            return judged.refusal  # what is invalid is told by the extension, once the operation is known
        try:
            self._weigh(judged.document, variables or {}, name)
        except LimitExceeded as error:
            return GraphQLError(str(error), original_error=error)
        return None

    def _weigh(self, document: DocumentNode, variables: Mapping[str, Any], name: str | None) -> None:
        """Add up what it costs with these variables. Raises `LimitExceeded`."""
        operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
        chosen = [one for one in operations if name is None or (one.name is not None and one.name.value == name)]
        cost = max((cost_of(self._schema, document, one, variables) for one in chosen), default=0.0)
        if cost > self._limits.cost:
            raise LimitExceeded(
                f"the query costs {cost:g}, more than the {self._limits.cost} it may: ask for smaller pages, or for "
                "fewer walks within lists",
                setting="server.limits.cost",
            )


class Prepared(SchemaExtension):
    """Takes documents, and what is wrong with them, from those that were judged already."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def on_parse(self) -> Iterator[None]:
        """Parse once for each text."""
        context = self.execution_context
        if context.query:
            context.graphql_document = self._documents.judge(context.query).document
        yield

    def on_validate(self) -> Iterator[None]:
        """Validate once for each text."""
        context = self.execution_context
        if context.query:
            context.pre_execution_errors = list(self._documents.judge(context.query).invalid)
        yield
