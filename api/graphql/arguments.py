"""How large what is handed to a query may be, whether it stands in its text or comes as variables."""

from collections.abc import Mapping
from typing import Any, cast

from graphql import (
    FragmentDefinitionNode,
    FragmentSpreadNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    Visitor,
)

from ...config.settings import Limits
from ...federation.errors import BadInput
from .errors import LimitExceeded


class Parts(Visitor):
    """Goes once through a document: counts its fragments, and holds every value in it to the limits."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self._within = 0
        self.fragments = 0
        """So many are defined."""
        self.named = 0
        """So often one is named."""

    def enter_fragment_definition(self, _node: FragmentDefinitionNode, *_: Any) -> None:
        """One more."""
        self.fragments += 1

    def enter_fragment_spread(self, _node: FragmentSpreadNode, *_: Any) -> None:
        """One more."""
        self.named += 1

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        """A text. Raises `LimitExceeded`, `BadInput`."""
        check_text(node.value, self._limits)

    def enter_list_value(self, node: ListValueNode, *_: Any) -> None:
        """A list. Raises `LimitExceeded`."""
        check_list(len(node.values), self._limits)
        self._descend()

    def leave_list_value(self, _node: ListValueNode, *_: Any) -> None:
        """Its end."""
        self._within -= 1

    def enter_object_value(self, _node: ObjectValueNode, *_: Any) -> None:
        """An object. Raises `LimitExceeded`."""
        self._descend()

    def leave_object_value(self, _node: ObjectValueNode, *_: Any) -> None:
        """Its end."""
        self._within -= 1

    def _descend(self) -> None:
        self._within += 1
        check_nesting(self._within, self._limits)


def check_variables(variables: Mapping[str, Any], limits: Limits) -> None:
    """Hold variables to the limits, level by level. Raises `LimitExceeded`, `BadInput`."""
    level: list[Any] = list(variables.values())
    count = depth = 0
    while level:
        count += len(level)
        if count > limits.values:
            raise LimitExceeded(f"the variables hold more than {limits.values} values", setting="server.limits.values")
        below: list[Any] = []
        for value in level:
            _check_value(value, below, limits)
        depth += bool(below)
        check_nesting(depth, limits)
        level = below


def _check_value(value: Any, below: list[Any], limits: Limits) -> None:
    if isinstance(value, str):
        check_text(value, limits)
    elif isinstance(value, list):
        items = cast(list[Any], value)
        check_list(len(items), limits)
        below += items or [None]
    elif isinstance(value, dict):
        below += cast(dict[str, Any], value).values() or [None]


def check_text(text: str, limits: Limits) -> None:
    """One text. Raises `LimitExceeded`, and `BadInput` for what no store can hold."""
    if len(text) > limits.text:
        raise LimitExceeded(
            f"a text of {len(text)} characters is longer than the {limits.text} it may be",
            setting="server.limits.text",
        )
    if "\0" in text:
        raise BadInput("a text holds a NUL, which no name does")


def check_list(length: int, limits: Limits) -> None:
    """One list. Raises `LimitExceeded`."""
    if length > limits.items:
        raise LimitExceeded(
            f"a list of {length} items is longer than the {limits.items} it may be", setting="server.limits.items"
        )


def check_nesting(depth: int, limits: Limits) -> None:
    """Values in one another. Raises `LimitExceeded`."""
    if depth > limits.nesting:
        raise LimitExceeded(
            f"values in the arguments stand more than {limits.nesting} deep in one another",
            setting="server.limits.nesting",
        )
