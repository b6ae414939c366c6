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
    validate,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.execution import ExecutionResult, PreExecutionError

from ...config.settings import Limits
from .bounded import Bounded
from .doors import guard_doors
from .errors import Told, told
from .guard import Guard, Prepared
from .limits import Documents
from .mutation import Mutation
from .query import Query
from .scalars import SCALARS
from .subscription import Subscription

Heard = Callable[[str], None]
_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
"""GraphQL's own, and those that strawberry adds."""


def _unheard(_code: str) -> None:
    return None


class Schema(strawberry.Schema):
    """Watersmeet's schema. What is beyond the limits is refused before it is validated."""

    def __init__(self, limits: Limits, heard: Heard = _unheard) -> None:
        """`heard` is told the code of each error."""
        self._introspection = limits.introspection
        documents = Documents(limits, self._validated)
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - strawberry leaves a generic open
            query=Query,
            mutation=Mutation,
            subscription=Subscription,
            extensions=[
                lambda: Told(heard),
                lambda: Prepared(documents),
            ],
            execution_context_class=Bounded,
            config=StrawberryConfig(scalar_map=dict(SCALARS)),
        )
        for kind in self._schema.type_map.values():
            _forget_null_defaults(kind)
        guard_doors(self._schema)
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
        return await context_value.answering.do(
            lambda: self._execute(
                query,
                variable_values,
                context_value,
                root_value,
                operation_name,
                allowed_operation_types,
                operation_extensions,
            )
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
        """Do an operation over a WebSocket, if it is within the limits; a query is one like any other."""
        refused, watches = await context_value.answering.do(
            lambda: self._judged(query, variable_values, operation_name)
        )
        if refused:
            return _only(PreExecutionError(data=None, errors=[refused]))
        if not watches:
            return self._once(query, variable_values, context_value.anew(), operation_name)
        return await super().stream(
            query,
            variable_values,
            context_value,
            root_value,
            operation_name,
            operation_extensions,
            allowed_operation_types,
        )

    async def _execute(
        self, query: str | None, variables: dict[str, Any] | None, context: Any, root: Any, name: str | None, *more: Any
    ) -> ExecutionResult:
        if refused := self._refusal(query, variables, name):
            return ExecutionResult(data=None, errors=[refused])
        result = await super().execute(query, variables, context, root, name, *more)
        for place, error in enumerate(result.errors or ()):
            if "code" not in (error.extensions or {}):  # what ended everything came past the extensions
                (result.errors or [])[place] = self._heard_of(error)
        return result

    async def _once(
        self, query: str | None, variables: dict[str, Any] | None, context: Any, name: str | None
    ) -> AsyncGenerator[ExecutionResult]:
        result = await self.execute(query, variables, context, None, name)
        if result.data is None and result.errors and not any(error.path for error in result.errors):
            yield PreExecutionError(data=None, errors=result.errors)
        else:
            yield result

    async def _judged(
        self, query: str | None, variables: dict[str, Any] | None, name: str | None
    ) -> tuple[GraphQLError | None, bool]:
        refused = self._refusal(query, variables, name)
        return refused, refused is None and self._guard.watches(query, name)

    def _get_custom_context_kwargs(
        self, operation_extensions: dict[str, Any] | None = None, *, sync: bool = False
    ) -> dict[str, Any]:
        """What is handed to graphql-core: no name is suggested to whoever may not ask for the schema."""
        told_on = super()._get_custom_context_kwargs(operation_extensions, sync=sync)
        return {**told_on, "hide_suggestions": not self._introspection}

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Nothing: `told` logs what could not be answered, and what was asked is nobody's business."""

    def _validated(self, document: DocumentNode) -> list[GraphQLError]:
        hidden = not self._introspection
        return validate(self._schema, document, _RULES, hide_suggestions=hidden)

    def _refusal(self, query: str | None, variables: dict[str, Any] | None, name: str | None) -> GraphQLError | None:
        refused = self._guard.refusal(query, variables, name)
        return None if refused is None else self._heard_of(refused)

    def _heard_of(self, error: GraphQLError) -> GraphQLError:
        """The error as it may leave the house, counted."""
        error = told(error)
        self._heard((error.extensions or {})["code"])
        return error


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
