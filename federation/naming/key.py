"""What a key is, and how a name in its place becomes one."""

from dataclasses import dataclass

from .quoting import dotted, folded, nfc
from .systems import Shape, System

RULES = 1
"""The version of all naming rules: a store whose keys were derived by others derives them anew."""

EXACTLY = "="
"""Stands before the path of a key that minds the case where its system, unquoted, does not."""

_FOLDED = ", case folded"
_ALIASES = frozenset({"symlink", "sibling", "job namespace as Marquez stores it"})
ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Key:
    """One place under one text, `class|system|authority|path`; only equal strong keys may join."""

    text: str
    strong: bool
    rule: str
    """How it was found, in words that explain a join."""

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """Class, system, authority and path, each still escaped."""
        kind, system, authority, path = self.text.split("|")
        return kind, system, authority, path

    @property
    def placeless(self) -> str:
        """The text without its authority: what those share who do not know the place."""
        kind, system, _, path = self.text.split("|")
        return f"{kind}|{system}||{path}"

    @property
    def is_alias(self) -> bool:
        """A further name that was told of a thing whose own name is another."""
        return self.rule.removesuffix(_FOLDED) in _ALIASES

    @property
    def is_folded(self) -> bool:
        """Equal to keys that differ in case."""
        return self.rule.endswith(_FOLDED)


@dataclass(frozen=True, slots=True)
class PhysicalName:
    """A name in its place, after all spellings are undone: the parts of a dotted name, or one text."""

    system: System
    authority: str
    """Where; empty: not told."""
    parts: tuple[str, ...]
    complete: bool = True
    """False: upper parts are missing, so the name alone does not say which thing."""
    exact: bool = False
    """It was quoted, and is not what its unquoted namesake means."""

    @property
    def is_placed(self) -> bool:
        """Enough is told to know which thing of the world it is."""
        return self.complete and bool(self.authority or not self.system.placed or self.system.hostless)


def key(kind: str, system: str, authority: str, path: str, *, strong: bool, rule: str) -> Key:
    """A key of its four parts."""
    return Key(f"{kind}|{system}|{escaped(authority)}|{escaped(path)}", strong, rule)


def escaped(part: str) -> str:
    """A part that holds no bar, and that nothing else is written as."""
    if "\\" in part or "|" in part:
        part = part.replace("\\", "\\\\").replace("|", "\\x7c")
    return nfc(part)


def unescaped(part: str) -> str:
    """What `escaped` was given."""
    return "\\".join(piece.replace("\\x7c", "|") for piece in part.split("\\\\"))


def name_keys(name: PhysicalName, rule: str, *, kind: str = "data", field: tuple[str, ...] = ()) -> tuple[Key, ...]:
    """The keys of a name (or of a field in it): one where case counts, else the folded one and the exact one."""
    system, placed = name.system, name.is_placed
    if system.shape is Shape.DOTTED and not any(name.parts):
        return ()  # a whole database, as a connection's address names it: no thing of its own
    path = path_text(name, field)
    if not system.folds:
        return (key(kind, system.name, name.authority, path, strong=placed, rule=rule),)
    lower = path_text(name, field, fold=True)
    loose = key(kind, system.name, name.authority, lower, strong=placed and not name.exact, rule=rule + _FOLDED)
    if not placed:
        return (loose,)
    return loose, key(kind, system.name, name.authority, EXACTLY + path, strong=True, rule=rule)


def path_text(name: PhysicalName, field: tuple[str, ...] = (), *, fold: bool = False) -> str:
    """The last part of a key: the name, and behind a hash the field."""
    parts = tuple(map(folded, name.parts)) if fold else name.parts
    if name.system.folds_first:
        parts = (folded(parts[0]), *parts[1:])
    path = dotted(parts) if name.system.shape is Shape.DOTTED else parts[0]
    if not field:
        return path
    # The hash is the border, so the name before it may hold none.
    path = path.replace("%", "%25").replace("#", "%23")
    return f"{path}#{dotted(tuple(map(folded, field)) if fold else field)}"
