"""Random questions over a schema, valid by construction, and whether an answer is one to them."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    get_named_type,
)

TEXTS = (
    "", " ", "orders", "shop.public.orders", "churn", "models:/churn/1", "models:/churn@champion", "1", "0", "-1", "٣",
    "dataset:postgres://db:5432:shop.public.orders", "runs:/abc", "urn:li:dataset:(x,y,PROD)", "a/b/c:v1", "//", ":",
    "'; DROP TABLE record; --", "' OR '1'='1", '" OR ""="', "%", "_", "\\", "*", "NEAR(a b)", "a AND b", '"', "a:*",
    '{"$gt": ""}', "; cat /etc/passwd", "$(id)", "`id`", "| ls", "../../etc/passwd", "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data", "<script>alert(1)</script>", "{{7*7}}", "\u202e", "é" * 50, "😀", "\x00",
    "\n", "a" * 3000, "a" * 9000, "﷽" * 400, "\ufeff", "NaN", "null", "true", "\x7f\x1b[31m",
)  # fmt: skip
TIMES = (
    "2026-11-20T12:00:00Z", "2026-11-20T12:00:00+05:30", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-12:00", "2026-11-20", "", "now",
    "1900-02-28T00:00:00-23:59", "2026-02-29T00:00:00Z",
)  # fmt: skip
NUMBERS = (0, 1, 2, 3, 5, 20, 100, 1000, 10_000, 10_001, 2**31 - 1, -1, -(2**31))
REALS = (0.0, 0.5, 1.0, 1.5, -1.0, 1e308, 5e-324)


@dataclass
class Chosen:
    """One field of a selection."""

    name: str
    response: str
    type: Any
    text: str
    below: "list[Chosen] | None" = None
    certain: bool = True
    """False: a directive may leave it out."""


@dataclass
class Questions:
    """Makes documents and their variables."""

    schema: GraphQLSchema
    chance: random.Random
    ids: list[str]
    cursors: list[str] = field(default_factory=list[str])
    _variables: dict[str, tuple[str, Any]] = field(default_factory=dict[str, tuple[str, Any]])
    _fragments: list[str] = field(default_factory=list[str])
    _number: int = 0

    def ask(self) -> tuple[dict[str, Any], list[Chosen]]:
        """A request's body, and what it selects."""
        self._variables, self._fragments, self._number = {}, [], 0
        root = self.schema.query_type
        assert root is not None
        chosen, text = self._selection(root, self.chance.choice([2, 3, 4, 5, 6]))
        head = ", ".join(f"${name}: {kind}" for name, (kind, _) in self._variables.items())
        document = " ".join([f"query Q{f'({head})' if head else ''} {text}", *self._fragments])
        variables = {name: value for name, (_, value) in self._variables.items()}
        return {"query": document, "variables": variables}, chosen

    def _selection(self, kind: GraphQLObjectType, depth: int) -> tuple[list[Chosen], str]:
        fields = [(name, one) for name, one in kind.fields.items() if depth > 1 or not _has_fields(one)]
        some = self.chance.sample(fields, min(len(fields), self.chance.choice([1, 1, 2, 3, 5])))
        chosen = [self._field(name, one, depth) for name, one in some]
        if self.chance.random() < 0.2 or not chosen:
            chosen.append(Chosen("__typename", "__typename", GraphQLNonNull(GraphQLString), "__typename"))
        text = " ".join(one.text for one in chosen)
        match self.chance.random():
            case low if low < 0.1:
                name = f"F{self._next()}"
                self._fragments.append(f"fragment {name} on {kind.name} {{ {text} }}")
                return chosen, f"{{ ...{name} }}"
            case low if low < 0.2:
                return chosen, f"{{ ... on {kind.name} {{ {text} }} }}"
            case _:
                return chosen, f"{{ {text} }}"

    def _field(self, name: str, what: GraphQLField, depth: int) -> Chosen:
        given = [(key, one) for key, one in what.args.items() if self._is_given(one)]
        arguments = ", ".join(f"{key}: {self._argument(one)}" for key, one in given)
        alias = f"a{self._next()}" if arguments or self.chance.random() < 0.1 else None
        directive, certain = self._directive()
        text = f"{f'{alias}: ' if alias else ''}{name}{f'({arguments})' if arguments else ''}{directive}"
        below = None
        if _has_fields(what):
            inner: Any = get_named_type(what.type)
            below, selection = self._selection(inner, depth - 1)
            text += f" {selection}"
        return Chosen(name, alias or name, what.type, text, below, certain)

    def _directive(self) -> tuple[str, bool]:
        if self.chance.random() > 0.08:
            return "", True
        word, keeps = self.chance.choice([("include", True), ("skip", False)])
        value = self.chance.choice([True, False])
        return f" @{word}(if: {str(value).lower()})", value is keeps

    def _is_given(self, argument: GraphQLArgument) -> bool:
        needed = isinstance(argument.type, GraphQLNonNull) and argument.default is None
        return needed or self.chance.random() < 0.4

    def _argument(self, argument: GraphQLArgument) -> str:
        value = self._value(argument.type)
        if self.chance.random() < 0.5:
            return _literal(argument.type, value)
        name = f"v{self._next()}"
        self._variables[name] = (str(argument.type), value)
        return f"${name}"

    def _value(self, kind: Any) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._value(kind.of_type)
        if isinstance(kind, GraphQLList):
            return [self._value(kind.of_type) for _ in range(self.chance.choice([0, 1, 1, 2, 5]))]
        if isinstance(kind, GraphQLEnumType):
            return self.chance.choice(list(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            names = self.chance.sample(list(kind.fields), self.chance.randint(0, len(kind.fields)))
            return {name: self._value(kind.fields[name].type) for name in names}
        return self._scalar(kind.name)

    def _scalar(self, name: str) -> Any:
        makers: dict[str, Callable[[], Any]] = {
            "ID": lambda: self.chance.choice([*self.ids, *self.ids, "0", "-1", "x", str(2**63 - 1), str(2**70), ""]),
            "Int": lambda: self.chance.choice(NUMBERS),
            "Float": lambda: self.chance.choice(REALS),
            "Boolean": lambda: self.chance.choice([True, False]),
            "DateTime": lambda: self.chance.choice(TIMES),
            "String": lambda: self.chance.choice([*TEXTS, *self.cursors[-5:]]),
        }
        return makers[name]()

    def _next(self) -> int:
        self._number += 1
        return self._number


def _has_fields(what: GraphQLField) -> bool:
    return isinstance(get_named_type(what.type), GraphQLObjectType)


def _literal(kind: Any, value: Any) -> str:
    if isinstance(kind, GraphQLNonNull):
        return _literal(kind.of_type, value)
    if isinstance(kind, GraphQLList):
        return "[" + ", ".join(_literal(kind.of_type, one) for one in value) + "]"
    if isinstance(kind, GraphQLEnumType):
        return value
    if isinstance(kind, GraphQLInputObjectType):
        return "{" + ", ".join(f"{name}: {_literal(kind.fields[name].type, one)}" for name, one in value.items()) + "}"
    return json.dumps(value)


def misfits(data: Any, chosen: list[Chosen], where: str = "data") -> Iterator[str]:
    """Where an answer is not what was asked for."""
    if set(data) - {one.response for one in chosen}:
        yield f"{where}: holds {sorted(data)}"
    for one in chosen:
        here = f"{where}.{one.response}"
        if one.response not in data:
            if one.certain:
                yield f"{here}: is missing"
        elif not one.certain:
            yield f"{here}: was to be left out"
        else:
            yield from _misfit(data[one.response], one.type, one, here)


def _misfit(value: Any, kind: Any, one: Chosen, here: str) -> Iterator[str]:
    if isinstance(kind, GraphQLNonNull):
        if value is None:
            yield f"{here}: is null"
            return
        kind = kind.of_type
    if value is None:
        return
    if isinstance(kind, GraphQLList):
        for place, item in enumerate(value):
            yield from _misfit(item, kind.of_type, one, f"{here}[{place}]")
    elif isinstance(kind, GraphQLObjectType):
        yield from misfits(value, one.below or [], here)
    elif isinstance(kind, GraphQLEnumType):
        if value not in kind.values:
            yield f"{here}: {value!r} is no {kind.name}"
    elif not isinstance(value, _SORTS.get(kind.name, object)) or (kind.name == "Int" and isinstance(value, bool)):
        yield f"{here}: {value!r} is no {kind.name}"


_SORTS: dict[str, Any] = {"ID": str, "String": str, "Int": int, "Float": int | float, "Boolean": bool, "DateTime": str}


_WRONG = [b"{", b"}", b"[", b'"', b"\\", b"\xff", b"\x00", b"$", b"...", b"@", b"9" * 50]


def mutated(body: bytes, chance: random.Random) -> bytes:
    """The same with a few wrong bytes."""
    raw = bytearray(body)
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.randrange(len(raw) + 1)
        match chance.randrange(5):
            case 0:
                del raw[at : at + chance.choice([1, 1, 3, 20])]
            case 1:
                raw[at:at] = chance.choice(
                    [b"{", b"}", b"[", b'"', b"\\", b"\xff", b"\x00", b"$", b"...", b"@", b"9" * 50]
                )
            case 2:
                raw[at:at] = raw[at : at + chance.choice([1, 10, 100])] * chance.choice([1, 3])
            case 3 if at < len(raw):
                raw[at] = chance.randrange(256)
            case _:
                raw[at:at] = chance.choice([b"\\u0000", b"\\ud800", b"\xed\xa0\x80", b"null", b"-0", b"1e400", b"{}"])
    return bytes(raw)
