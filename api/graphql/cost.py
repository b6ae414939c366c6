"""What a query costs: its walks, and the lists within lists, by the sizes of the pages above them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

WALKS = frozenset({"lineage", "paths", "impact", "upstream", "downstream"})
"""Fields that walk the graph."""
_PER = 100
"""So many things on a page cost as much as the walk that finds them."""


def cost_of(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> float:
    """The sum over walks of (1 + first/100), times the `first` of every list above.

    A list within a list counts like a walk, since it multiplies as well.
    """
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 0.0
    return _Cost(document, _defaults(operation) | dict(variables)).of(root, operation.selection_set)


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    return {
        one.variable.name.value: int(one.default_value.value)
        for one in operation.variable_definitions or ()
        if isinstance(one.default_value, IntValueNode)
    }


def _object_of(field: Any) -> GraphQLObjectType | None:
    """The type of the objects behind a field; None for an unknown field and for a leaf."""
    kind = cast("GraphQLObjectType | None", get_named_type(field.type) if field is not None else None)
    return kind if hasattr(kind, "fields") else None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a fragment stands: what it costs there depends on it."""

    fragment: str
    type: str
    in_list: bool


class _Cost:
    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[_Place, float] = {}

    def of(self, parent: GraphQLObjectType, selections: SelectionSetNode | None, *, in_list: bool = False) -> float:
        """The cost of a selection on one object."""
        total = 0.0
        for selection in selections.selections if selections is not None else ():
            if isinstance(selection, FieldNode):
                total += self._field(parent, selection, in_list)
            elif isinstance(selection, FragmentSpreadNode):
                total += self._fragment(_Place(selection.name.value, parent.name, in_list), parent)
            else:
                total += self.of(parent, getattr(selection, "selection_set", None), in_list=in_list)
        return total

    def _field(self, parent: GraphQLObjectType, node: FieldNode, in_list: bool) -> float:
        name = node.name.value
        field: Any = parent.fields.get(name)
        kind = _object_of(field)
        if kind is None:
            return 0.0
        first = self._first(node, field.args.get("first"))
        is_list = kind.name.endswith("Connection")
        own = 1 + first / _PER if name in WALKS or (is_list and in_list) else 0.0
        times = first if is_list else 1
        return own + times * self.of(kind, node.selection_set, in_list=in_list or is_list)

    def _first(self, node: FieldNode, argument: Any) -> int:
        """The size of the page that is asked for, wherever that is said."""
        value: Any = getattr(argument, "default_value", None)
        if not isinstance(value, int):
            value = getattr(getattr(argument, "default", None), "value", 0)
        for given in node.arguments or ():
            if given.name.value == "first":
                if isinstance(given.value, VariableNode):
                    value = self._variables.get(given.value.name.value, value)
                elif isinstance(given.value, IntValueNode):
                    value = int(given.value.value)
        return max(0, value) if isinstance(value, int) else 0

    def _fragment(self, place: _Place, parent: GraphQLObjectType) -> float:
        if place not in self._known:
            self._known[place] = 0.0  # a fragment within itself: validation refuses it
            fragment = self._fragments.get(place.fragment)
            self._known[place] = self.of(parent, fragment.selection_set, in_list=place.in_list) if fragment else 0.0
        return self._known[place]
