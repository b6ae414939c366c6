"""Holds every GraphQL operation to the limits before any of it is done, whichever way it came in."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
)
from strawberry.extensions import SchemaExtension

from ...config.settings import Limits
from ...federation.errors import BadInput
from .arguments import check_variables
from .cost import cost_of
from .errors import LimitExceeded
from .limits import Documents


class Guard:
    """Judges operations against one schema's limits."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, documents: Documents) -> None:
        self._schema = schema
        self._limits = limits
        self._documents = documents

    def refusal(self, query: str | None, variables: Mapping[str, Any] | None, name: str | None) -> GraphQLError | None:
        """Why an operation is not even begun; None: it may be."""
        if not query:
            return None
        judged = self._documents.judge(query)
        if judged.document is None:
            return judged.refusal
        try:
            operation = _meant(judged.document, name)
            if not judged.invalid:  # if it is, the extension tells so
                check_variables(variables or {}, self._limits)
                self._weigh(judged.document, operation, variables or {})
        except BadInput as error:
            return GraphQLError(str(error), original_error=error)
        return None

    def watches(self, query: str | None, name: str | None) -> bool:
        """Whether it is a subscription that is asked for."""
        document = self._documents.judge(query).document if query else None
        operation = get_operation_ast(document, name) if document is not None else None
        return operation is not None and operation.operation is OperationType.SUBSCRIPTION

    def _weigh(self, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> None:
        """Add up what it costs with these variables. Raises `LimitExceeded`."""
        cost = cost_of(self._schema, document, operation, variables)
        if cost > self._limits.cost:
            raise LimitExceeded(
                f"the query costs {cost:g}, more than the {self._limits.cost} it may: ask for smaller pages, or for "
                "fewer walks within lists",
                setting="server.limits.cost",
            )


def _meant(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The one operation that is asked for; nothing is guessed. Raises `BadInput`."""
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    named = [one for one in operations if name is None or (one.name is not None and one.name.value == name)]
    if not named:
        what = "holds no operation" if not operations else "holds no operation of the name in `operationName`"
        raise BadInput(f"the query {what}")
    if len(named) > 1:
        raise BadInput("the query holds several operations: name the one that is meant in `operationName`")
    return named[0]


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
