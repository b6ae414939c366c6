"""The miniature's GraphQL: the schema, what a server of another age lacks of it, and how a question is answered."""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, cast

from graphql import (
    REMOVE,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    build_ast_schema,
    execute_sync,  # pyright: ignore[reportUnknownVariableType]  # its generics are left open
    get_operation_ast,
    parse,
    validate,
    visit,
)

from .sandbox_query import snake

_FILE = "sandbox_schema.graphql"


class Invalid(Exception):
    """A question that the schema has no answer to."""

    def __init__(self, errors: Iterable[GraphQLError]) -> None:
        self.messages = [error.message.replace("'", '"') for error in errors]  # as the service quotes
        super().__init__("; ".join(self.messages))


@cache
def schema(lacking: frozenset[str] = frozenset()) -> GraphQLSchema:
    """The schema of the service, without the fields (`Type.field`) that a server lacks."""
    document = parse(files(__package__ or "").joinpath(_FILE).read_text(encoding="utf-8"))
    return build_ast_schema(cast(DocumentNode, visit(document, _Without(lacking))) if lacking else document)


class _Without(Visitor):
    def __init__(self, lacking: frozenset[str]) -> None:
        super().__init__()
        self._lacking = lacking

    def enter_field_definition(self, node: FieldDefinitionNode, *place: Any) -> Any:
        owner = next(
            one
            for one in reversed(place[-1])
            if isinstance(one, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode)
        )
        return REMOVE if f"{owner.name.value}.{node.name.value}" in self._lacking else None


@lru_cache(maxsize=256)
def _parsed(query: str) -> DocumentNode:
    return parse(query)


@lru_cache(maxsize=256)
def _valid(shown: GraphQLSchema, query: str) -> DocumentNode:
    """A question that the schema has an answer to; clients send few, and each of them often. Raises `Invalid`."""
    try:
        document = _parsed(query)
    except GraphQLError as error:
        raise Invalid([error]) from error
    if errors := validate(shown, document):
        raise Invalid(errors)
    return document


def operation(query: str) -> str:
    """The name of what is asked; nothing if it cannot be read."""
    try:
        found: OperationDefinitionNode | None = get_operation_ast(_parsed(query))
    except GraphQLError:
        return ""
    return found.name.value if found is not None and found.name is not None else ""


def answered(
    shown: GraphQLSchema, roots: Mapping[OperationType, object], query: str, variables: Mapping[str, Any]
) -> dict[str, Any]:
    """Data, and errors beside it; `roots` are where questions and changes start. Raises `Invalid`."""
    document = _valid(shown, query)
    asked = get_operation_ast(document)
    root = roots.get(asked.operation) if asked is not None else None
    result = execute_sync(
        shown, document, root, variable_values=dict(variables), field_resolver=_field, type_resolver=_type
    )
    if result.data is None and result.errors and all(one.path is None for one in result.errors):
        raise Invalid(result.errors)  # the variables, and not what was asked with them
    told: dict[str, Any] = {"data": result.data}
    return {**told, "errors": [error.formatted for error in result.errors]} if result.errors else told


def _field(thing: Any, info: GraphQLResolveInfo[Any], **asked: Any) -> Any:
    """What the thing has under the field's name; what it has not is null."""
    name = snake(info.field_name)
    found = cast(dict[str, Any], thing).get(name) if isinstance(thing, dict) else getattr(thing, name, None)
    return found(**{snake(key): value for key, value in asked.items()}) if callable(found) else found


def _type(thing: Any, _: object, __: object) -> str:
    return str(cast(dict[str, Any], thing)["__typename"]) if isinstance(thing, dict) else type(thing).__name__
