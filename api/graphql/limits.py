"""What a GraphQL document may look like: judged once for each text, before anything is validated or done."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    visit,
)

from ...config.settings import Limits
from ...federation.errors import BadInput
from .arguments import Parts
from .errors import LimitExceeded

_TEXTS = 256
"""So many texts are kept,"""
_LENGTH = 2**15
"""none of them longer than this."""
_INTROSPECTION = ("__schema", "__type")


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of a text without doing any of it."""

    document: DocumentNode | None = None
    refusal: GraphQLError | None = None
    """Why it is not even looked at further: its syntax, or a limit."""
    invalid: tuple[GraphQLError, ...] = ()
    """What does not fit the schema."""


class Documents:
    """Judged texts, kept as long as they are asked again; one that is too large is never parsed to its end."""

    def __init__(self, limits: Limits, validate: Callable[[DocumentNode], Sequence[GraphQLError]]) -> None:
        self._limits = limits
        self._validate = validate
        self._judged: OrderedDict[str, Judged] = OrderedDict()
        self._lock = Lock()

    def knows(self, text: str) -> bool:
        """Whether a text was judged already."""
        return text in self._judged

    def judge(self, text: str) -> Judged:
        """What is to be said of a text; from many threads at once, if need be."""
        with self._lock:
            if text in self._judged:
                self._judged.move_to_end(text)
                return self._judged[text]
        judged = self._look(text)
        if len(text) <= _LENGTH:
            with self._lock:
                self._judged[text] = judged
                while len(self._judged) > _TEXTS:
                    self._judged.popitem(last=False)
        return judged

    def _look(self, text: str) -> Judged:
        try:
            document = self._parse(text)
        except BadInput as error:
            return Judged(refusal=GraphQLError(str(error), original_error=error))
        except GraphQLError as error:
            return Judged(refusal=error)
        return Judged(document, invalid=tuple(self._validate(document)))

    def _parse(self, text: str) -> DocumentNode:
        limits = self._limits
        try:
            document = parse(text, max_tokens=limits.tokens)
        except GraphQLSyntaxError as error:
            if "more than" in error.description and "tokens" in error.description:
                message = f"the query has more than {limits.tokens} tokens"
                raise LimitExceeded(message, setting="server.limits.tokens") from error
            if "nested too deeply" in error.description:
                raise _too_deep(limits) from error
            raise
        self._look_at_parts(document)
        measure = _Measure(document)
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                shape = measure.of(definition.selection_set) + _Shape(directives=len(definition.directives or ()))
                self._admit(shape)
        return document

    def _look_at_parts(self, document: DocumentNode) -> None:
        parts = Parts(self._limits)
        visit(document, parts)
        if parts.fragments > self._limits.fragments:
            _refuse(f"{self._limits.fragments} fragments", "fragments")
        if parts.named > self._limits.fragments:
            _refuse(f"{self._limits.fragments} places where it names a fragment", "fragments")

    def _admit(self, shape: "_Shape") -> None:
        limits = self._limits
        if shape.introspects and not limits.introspection:
            raise LimitExceeded("introspection is off", setting="server.limits.introspection")
        if shape.depth > limits.depth:
            raise _too_deep(limits)
        if shape.aliases > limits.aliases:
            _refuse(f"{limits.aliases} aliases", "aliases")
        if shape.directives > limits.directives:
            _refuse(f"{limits.directives} directives", "directives")
        if shape.fields > limits.tokens:
            _refuse(f"{limits.tokens} fields once its fragments are spelled out", "tokens")


def _refuse(most: str, setting: str) -> None:
    raise LimitExceeded(f"the query has more than {most}", setting=f"server.limits.{setting}")


def _too_deep(limits: Limits) -> LimitExceeded:
    return LimitExceeded(f"the query is nested more than {limits.depth} deep", setting="server.limits.depth")


@dataclass(frozen=True, slots=True)
class _Shape:
    """How large a selection is once its fragments are spelled out."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    introspects: bool = False

    def __add__(self, other: "_Shape") -> "_Shape":
        return _Shape(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.fields + other.fields,
            self.introspects or other.introspects,
        )


_NOTHING = _Shape()


class _Measure:
    """Measures selections; each fragment once, so that fragments in fragments cost nothing to see through."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[str, _Shape] = {}

    def of(self, selections: SelectionSetNode | None) -> _Shape:
        """The shape of a selection set."""
        shape = _NOTHING
        for selection in selections.selections if selections is not None else ():
            shape += _Shape(directives=len(selection.directives or ()))
            if isinstance(selection, FieldNode):
                shape += self._field(selection)
            elif isinstance(selection, FragmentSpreadNode):
                shape += self._fragment(selection.name.value)
            else:
                shape += self.of(getattr(selection, "selection_set", None))
        return shape

    def _field(self, field: FieldNode) -> _Shape:
        inner = self.of(field.selection_set)
        introspects = field.name.value in _INTROSPECTION
        return _Shape(
            1 if introspects else inner.depth + 1,  # a rule of its own bounds introspection
            inner.aliases + (field.alias is not None),
            inner.directives,
            inner.fields + 1,
            inner.introspects or introspects,
        )

    def _fragment(self, name: str) -> _Shape:
        if name not in self._known:
            self._known[name] = _NOTHING  # a fragment within itself: validation refuses it
            fragment = self._fragments.get(name)
            self._known[name] = self.of(fragment.selection_set) if fragment is not None else _NOTHING
        return self._known[name]
