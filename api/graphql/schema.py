"""The schema as a whole, with its limits and its errors."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    Undefined,
    specified_rules,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import validate_document
from strawberry.types.execution import ExecutionResult, PreExecutionError

from ...config.settings import Limits
from .errors import Told, told
from .guard import Guard, Prepared
from .limits import Documents
from .mutation import Mutation
from .query import Query
from .scalars import SCALARS
from .subscription import Subscription

Heard = Callable[[str], None]


def _unheard(_code: str) -> None:
    return None


class Schema(strawberry.Schema):
    """Watersmeet's schema. What is beyond the limits is refused before it is validated."""

    def __init__(self, limits: Limits, heard: Heard = _unheard) -> None:
        """`heard` is told the code of each error."""
        documents = Documents(limits, self._validated)
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - strawberry leaves a generic open
            query=Query,
            mutation=Mutation,
            subscription=Subscription,
            extensions=[
                lambda: Told(heard),
                lambda: Prepared(documents),
            ],
            config=StrawberryConfig(scalar_map=dict(SCALARS)),
        )
        for kind in self._schema.type_map.values():
            _forget_null_defaults(kind)
        self._guard = Guard(self._schema, limits, documents)
        self._heard = heard

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        allowed_operation_types: Any = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """Do a query or a mutation, if it is within the limits."""
        if refused := await self._refusal(query, variable_values, operation_name):
            return ExecutionResult(data=None, errors=[refused])
        return await super().execute(
            query,
            variable_values,
            context_value,
            root_value,
            operation_name,
            allowed_operation_types,
            operation_extensions,
        )

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Any = None,
    ) -> Any:
        """Do an operation over a WebSocket, if it is within the limits."""
        if refused := await self._refusal(query, variable_values, operation_name):
            return _only(PreExecutionError(data=None, errors=[refused]))
        return await super().stream(
            query,
            variable_values,
            context_value,
            root_value,
            operation_name,
            operation_extensions,
            allowed_operation_types,
        )

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Nothing: `told` logs what could not be answered, and what was asked is nobody's business."""

    def _validated(self, document: DocumentNode) -> list[GraphQLError]:
        return validate_document(self._schema, document, tuple(specified_rules))

    async def _refusal(
        self, query: str | None, variables: dict[str, Any] | None, name: str | None
    ) -> GraphQLError | None:
        refused = await self._guard.refusal(query, variables, name)
        if refused is None:
            return None
        refused = told(refused)
        self._heard((refused.extensions or {})["code"])
        return refused


async def _only(result: PreExecutionError) -> AsyncGenerator[PreExecutionError]:
    yield result


def _forget_null_defaults(kind: Any) -> None:
    """Let an argument that may be left out have no default at all, as the design writes it, instead of `= null`."""
    if isinstance(kind, GraphQLObjectType):
        for field in kind.fields.values():
            for argument in field.args.values():
                _forget_null_default(argument)
    elif isinstance(kind, GraphQLInputObjectType):
        for field in kind.fields.values():
            _forget_null_default(field)


def _forget_null_default(argument: GraphQLArgument | GraphQLInputField) -> None:
    if argument.default is not None and argument.default.value is None:
        argument.default = None
    if argument.default_value is None:
        argument.default_value = Undefined


def sdl() -> str:
    """The schema in GraphQL's own language."""
    return Schema(Limits()).as_str() + "\n"
