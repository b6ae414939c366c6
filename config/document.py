"""A configuration as it is written: the YAML file with its lines, `${VAR}` filled in, the environment's word on top."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast, get_origin

import yaml
from pydantic import BaseModel

from .problems import Loc, Problem, field_at, model_at, nearest, spell, suggestion

PREFIX = "WATERSMEET_"
_VARIABLE = re.compile(r"\$(?P<plain>\$\{)|\$\{(?P<body>[^}]*)\}")
_NAME = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)
_QUOTED = re.compile(r"'[^']{2,}'|\"[^\"]{2,}\"")
_SPECIAL = "a value that begins with one of * & ! % @ ` or holds ': ' or ' #' must stand in quotes"


class Document:
    """Raw settings, where each of them stands, and what is wrong with the writing itself."""

    def __init__(self, root: type[BaseModel], path: Path | None) -> None:
        self.raw: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self.unusable: set[Loc] = set()
        """Keys whose value could not be had: what they hold need not be judged."""
        self._root = root
        self._path = path
        self._places: dict[Loc, str] = {}
        self._flat: list[yaml.Node] = []

    @property
    def folder(self) -> Path:
        """What relative paths start from."""
        return (self._path.parent if self._path else Path()).absolute()

    def place(self, loc: Loc) -> str:
        """Where a key stands, or what it would stand in."""
        while loc and loc not in self._places:
            loc = loc[:-1]
        return self._places.get(loc, str(self._path) if self._path else "environment")

    def complain(self, loc: Loc, reason: str, example: str = "", *, place: str = "") -> None:
        """One more thing to mend; the key counts as judged."""
        self.problems.append(Problem(place or self.place(loc), spell(loc), reason, example))
        self.unusable.add(loc)

    def read_file(self, environ: Mapping[str, str]) -> None:
        """Take over the file, with its variables filled in from `environ`."""
        assert self._path is not None
        try:
            text = self._path.read_text(encoding="utf-8")
            raw = self._load(text)
        except OSError as error:
            return self.complain((), f"cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            return self.complain((), "is not text in UTF-8")
        except yaml.YAMLError as error:
            return self._complain_of_yaml(error)
        if raw is not None and not isinstance(raw, dict):
            return self.complain((), "must be a mapping of keys to values", "store: {url: sqlite:///watersmeet.db}")
        self.raw = self._filled((), raw or {}, environ)

    def override(self, environ: Mapping[str, str]) -> None:
        """Let `WATERSMEET_SERVER__PORT=9000` and its like speak last."""
        for variable in sorted(environ):
            if variable.startswith(PREFIX):
                self._override(variable, environ[variable])

    def _load(self, text: str) -> Any:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            return None if node is None else self._built(loader, (), node)
        finally:
            loader.dispose()  # pyright: ignore[reportUnknownMemberType]  # untyped in the stubs

    def _built(self, loader: yaml.SafeLoader, loc: Loc, node: yaml.Node) -> Any:
        self._places.setdefault(loc, f"{self._path}:{node.start_mark.line + 1}" if loc else str(self._path))
        if isinstance(node, yaml.MappingNode):
            if node not in self._flat:  # an anchor is met again at each of its aliases
                self._flat.append(node)
                self._refuse_twins(loc, node)
                loader.flatten_mapping(node)
            return {key: self._built(loader, (*loc, key), value) for key, value in self._pairs(loc, node)}
        if isinstance(node, yaml.SequenceNode):
            items = cast(list[yaml.Node], node.value)
            return [self._built(loader, (*loc, position), item) for position, item in enumerate(items)]
        return self._scalar(loader, loc, node)

    def _scalar(self, loader: yaml.SafeLoader, loc: Loc, node: yaml.Node) -> Any:
        try:
            return cast(Any, loader.construct_object(node, deep=True))  # pyright: ignore[reportUnknownMemberType]  # untyped in the stubs
        except ValueError:  # 2026-13-45 looks like a date; what it says may be a secret
            self.complain(loc, "looks like a date or a number to YAML and is none: put it in quotes")
            return None

    def _pairs(self, loc: Loc, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
        for key, value in cast(list[tuple[yaml.Node, yaml.Node]], node.value):
            self._places[*loc, str(key.value)] = f"{self._path}:{key.start_mark.line + 1}"
            yield str(key.value), value

    def _refuse_twins(self, loc: Loc, node: yaml.MappingNode) -> None:
        seen = dict[str, int]()
        for key, _ in cast(list[tuple[yaml.Node, yaml.Node]], node.value):
            word, line = str(key.value), key.start_mark.line + 1
            if word in seen and word != "<<":
                place = f"{self._path}:{line}"
                self.complain((*loc, word), f"stands here again, first in line {seen[word]}", place=place)
            seen.setdefault(word, line)

    def _complain_of_yaml(self, error: yaml.YAMLError) -> None:
        # Never str(error): it shows the line, and the line may hold a password.
        mark = getattr(error, "problem_mark", None)
        where = f"{self._path}:{mark.line + 1}" if mark else str(self._path)
        what = _QUOTED.sub("…", str(getattr(error, "problem", None) or "it cannot be read"))
        self.complain((), f"is not YAML: {what}; {_SPECIAL}", place=where)

    def _filled(self, loc: Loc, value: Any, environ: Mapping[str, str]) -> Any:
        if isinstance(value, dict):
            mapping = cast(dict[str, Any], value)
            return {key: self._filled((*loc, key), item, environ) for key, item in mapping.items()}
        if isinstance(value, list):
            return [self._filled((*loc, at), item, environ) for at, item in enumerate(cast(list[Any], value))]
        return self._interpolated(loc, value, environ) if isinstance(value, str) else value

    def _interpolated(self, loc: Loc, text: str, environ: Mapping[str, str]) -> str:
        def fill(match: re.Match[str]) -> str:
            if match["plain"]:
                return "${"
            named = _NAME.fullmatch(match["body"])
            if named is None:
                self.complain(loc, "has a ${…} without the name of a variable", "${WANDB_API_KEY} or ${PORT:-8765}")
                return ""
            name, value = named["name"], environ.get(named["name"]) or named["default"]
            if value is None:
                self.complain(
                    loc, f"needs the environment variable {name}, which is not set or empty", f"export {name}=…"
                )
            return str(value or "")

        return _VARIABLE.sub(fill, text)

    def _override(self, variable: str, value: str) -> None:
        words = variable.removeprefix(PREFIX).lower().split("__")
        if len(words) == 1 and self._is_other(variable, words[0]):
            return
        here: Any = self.raw
        loc: Loc = ()
        for word in words[:-1]:
            here, loc = self._descend(variable, here, loc, word)
            if here is None:
                return
        last = self._key(variable, here, loc, words[-1])
        if last is None:
            return
        here[last] = value
        self._places[*loc, last] = f"environment variable {variable}"
        self._forget((*loc, last))

    def _forget(self, loc: Loc) -> None:
        """What was wrong with a value that is replaced is wrong no more."""
        self.unusable.discard(loc)
        self.problems = [problem for problem in self.problems if problem.key != spell(loc)]

    def _is_other(self, variable: str, word: str) -> bool:
        """Whether a name without `__` is none of the settings' business; a slip of the pen is told."""
        top = next((key for key in self._root.model_fields if word == key or word.startswith(f"{key}_")), None)
        if top is not None:
            rest = word.removeprefix(top).lstrip("_") or "…"
            self._refuse(variable, (), "is not read: two underscores lead from a key to the next", f"{top}__{rest}")
        return True

    def _descend(self, variable: str, here: Any, loc: Loc, word: str) -> tuple[Any, Loc]:
        key = self._key(variable, here, loc, word)
        if key is None:
            return None, loc
        deeper = (*loc, key)
        below: Any = here[key] if isinstance(key, int) else here.get(key)
        if below is None:
            field = field_at(self._root, deeper)
            below = here[key] = list[Any]() if field and get_origin(field.annotation) is tuple else dict[str, Any]()
        if not isinstance(below, dict | list):
            self._refuse(variable, deeper, "holds no keys", "")
            return None, loc
        return cast(Any, below), deeper

    def _key(self, variable: str, here: Any, loc: Loc, word: str) -> str | int | None:
        if isinstance(here, list):
            return self._item(variable, cast(list[Any], here), loc, word)
        model = model_at(self._root, loc)
        if model is None:
            known = [key for key in cast(dict[str, Any], here) if _as_variable(key) == word]
            return known[0] if len(known) == 1 else word
        if word not in model.model_fields:
            self._refuse_word(variable, loc, word, model.model_fields)
            return None
        return word

    def _item(self, variable: str, items: list[Any], loc: Loc, word: str) -> int | None:
        names = [str(cast(dict[str, Any], item).get("name", "")) if isinstance(item, dict) else "" for item in items]
        found = [at for at, name in enumerate(names) if name and _as_variable(name) == word]
        if not found and word.isdigit() and int(word) < len(items):
            found = [int(word)]
        if not found:
            self._refuse_word(variable, loc, word, [_as_variable(name) for name in names if name])
        elif len(found) > 1:
            self._refuse(variable, (*loc, word), "means more than one", f"{loc[-1]}__{found[0]}")
        return found[0] if len(found) == 1 else None

    def _refuse_word(self, variable: str, loc: Loc, word: str, known: Collection[str]) -> None:
        close = nearest(word, known)
        example = variable.removeprefix(PREFIX).lower().replace(word, close, 1) if close else ""
        self._refuse(variable, (*loc, word), f"is unknown; {suggestion(word, known)}", example)

    def _refuse(self, variable: str, loc: Loc, reason: str, example: str) -> None:
        shown = f"{PREFIX}{example.upper()}=…" if example else ""
        self.problems.append(Problem(f"environment variable {variable}", spell(loc), reason, shown))


def _as_variable(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "_", name.lower())
