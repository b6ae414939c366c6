"""What is cut from an event before anything of it is kept, and the marks that stay in its place."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .confidential import LONGEST, hides, is_plain, is_secret, is_token, mark, redacted
from .decode import decode, encode
from .foreign import is_list, is_object
from .place import ROOT, Place, written
from .refused import Refused

_ENVIRONMENT = frozenset({"environmentvariables", "envvars", "environ", "env"})
_OF_COLUMNS = frozenset({"fields", "columnMetrics", "columns"})
"""What holds columns by their names: a column may be called `password`."""
_NOT_LETTERS = re.compile(r"[^a-z]")
_TEXT_ENVIRONMENT = re.compile(r"environment_?variables", re.IGNORECASE)
_TEXT_HOLDER = re.compile(r"(\\?[\"'])([A-Za-z][\w.\- ]{0,95})\1\s{0,8}:\s{0,8}(?=[\[{])")
_TEXT_BRACKET = re.compile(r"\\.|[\[\]{}\"]", re.DOTALL)
_TEXT_USER = re.compile(
    r"\b([a-z][a-z0-9+.\-]{0,31}://)[^\s/?#@:\"'<>]{0,512}:(?!\d{1,5}(?:[/?#\"'\s,;\\]|$))[^\s\"'<>/@\\]{1,512}",
    re.IGNORECASE,
)
"""A user and a password whose `@` may have been cut off."""
_TEXT_VALUE = re.compile(
    r"(\"value\"\s{0,8}:\s{0,8}\")(?:[^\"\\]|\\.)*|(\\\"value\\\"\s{0,8}:\s{0,8}\\\")(?:[^\"\\]|\\(?!\"))*"
)


@dataclass(frozen=True, slots=True)
class Cut:
    """One thing that was cut: where it stood (a JSON path), and by which rule."""

    path: str
    rule: str


def redact(event: Any, *, depth: int) -> tuple[Any, tuple[Cut, ...]]:
    """An event without secrets and without characters that no database takes. Raises `Refused` if it nests deeper."""
    redaction = _Redaction(depth)
    kept = redaction.value(event, ROOT, depth)
    if redaction.cuts and _nests_deeper(event, depth):  # within what was cut, where nobody looked
        raise _too_deep(depth, ROOT)
    return kept, tuple(redaction.cuts)


def scrub(body: bytes) -> bytes:
    """A body that could not be taken, without secrets: as JSON if it is any, else as text."""
    try:
        event, _ = redact(decode(body), depth=200)
    except Refused:
        # NUL stands between the characters of UTF-16, and would hide what they spell.
        text = body.replace(b"\0", b"").decode("utf-8", "replace")
        return _scrubbed(text).encode("utf-8", "backslashreplace")
    return encode(event)


def clean(text: str) -> str:
    """The same text without NUL and halves of characters: they become the escapes that JSON has for them."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\\u0000").encode("utf-8", "backslashreplace").decode()


def _scrubbed(text: str) -> str:
    """A text that is no JSON, or no longer. Behind a list of variables nothing called a value is kept."""
    text = _without_variables(text)
    if (len(text) - len(text.rstrip("\\"))) % 2:
        text = text[:-1]
    # A string that was cut off in the middle is closed, so that its secret is known as one.
    kept = redacted(_without_holders(f'{text}"'))[0].removesuffix('"')
    return _TEXT_USER.sub(lambda one: one[1] + mark("credentials"), kept)


def _without_variables(text: str) -> str:
    listed = _TEXT_ENVIRONMENT.search(text)
    if listed is None:
        return text
    head, tail = text[: listed.end()], text[listed.end() :]
    return head + _TEXT_VALUE.sub(lambda one: (one[1] or one[2]) + mark("environment variable"), tail)


def _without_holders(text: str) -> str:
    """A text without the lists and objects that are named like secrets, whole or cut off."""
    kept: list[str] = []
    done = 0
    for holder in _TEXT_HOLDER.finditer(text):
        if holder.start() >= done and (is_secret(holder[2]) or is_token(holder[2])):
            kept += (text[done : holder.end()], f'"{mark("named like a secret")}"')
            done = _end_of(text, holder.end())
    return "".join((*kept, text[done:]))


def _end_of(text: str, start: int) -> int:
    """Where the list or object that begins here ends; the end of the text if it does not."""
    depth, in_text = 0, False
    for sign in _TEXT_BRACKET.finditer(text, start):
        if sign[0] == '"':
            in_text = not in_text
        elif not in_text and len(sign[0]) == 1:
            depth += 1 if sign[0] in "[{" else -1
            if depth == 0:
                return sign.end()
    return len(text)


def _nests_deeper(event: Any, depth: int) -> bool:
    """Whether objects and lists stand more than so deep in one another, however deep that is."""
    level = [event]
    for _ in range(depth + 1):
        objects = [child for one in level if is_object(one) for child in one.values()]
        level = objects + [child for one in level if is_list(one) for child in one]
    return bool(level)


def _too_deep(depth: int, place: Place) -> Refused:
    return Refused(f"nested deeper than {depth} levels", written(place), 400)


class _Redaction:
    """One walk over one event."""

    def __init__(self, depth: int) -> None:
        self.cuts: list[Cut] = []
        self._depth = depth

    def value(self, value: Any, place: Place, left: int) -> Any:
        """The same value, fit to be kept."""
        if isinstance(value, str):
            return value if len(value) < LONGEST and _is_innocent(value) else self._text(value, place)
        if is_object(value):
            return self._object(value, place, self._within(left, place))
        if is_list(value):
            left = self._within(left, place)
            return [self.value(item, (place, number), left) for number, item in enumerate(value)]
        return value

    def _within(self, left: int, place: Place) -> int:
        if left <= 0:
            raise _too_deep(self._depth, place)
        return left - 1

    def _text(self, text: str, place: Place) -> str:
        whole = clean(text)
        bare = _without_holders(_without_variables(whole))  # an event may be written into a text
        kept, rules = redacted(bare)
        if bare != whole:
            rules = ("within a text", *rules)
        self.cuts.extend(Cut(written(place), rule) for rule in rules)
        return kept

    def _object(self, raw: Mapping[str, Any], place: Place, left: int) -> dict[str, Any]:
        of_columns = place is not None and place[1] in _OF_COLUMNS
        kept: dict[str, Any] = {}
        for name, value in raw.items():
            here: Place = (place, name)
            if len(name) < LONGEST and _says_nothing(name):
                kept[name] = self.value(value, here, left)
            elif name == "value" and _is_named_secret(raw, value):
                kept[name] = self._cut(here, "value of a secret")
            elif _hides(name, value) and not (of_columns and is_object(value)):
                kept[clean(name)] = self._cut(here, "named like a secret")
            elif value and _is_environment(name):
                kept[clean(name)] = self._environment(value, here, left)
            else:
                kept[self._text(name, here)] = self.value(value, here, left)
        return kept

    def _environment(self, value: Any, place: Place, left: int) -> Any:
        """Variables keep their names only. A facet of that name holds a list of that name."""
        if is_object(value):
            some: Mapping[str, Any] = value
            if "_producer" in some or "environmentVariables" in some:
                return self._object(some, place, self._within(left, place))
            return {clean(name): self._variable((place, name)) for name in some}
        if is_list(value):
            pairs: Sequence[Any] = value
            return [self._pair(one, (place, number), left) for number, one in enumerate(pairs)]
        return self.value(value, place, left)

    def _pair(self, one: Any, place: Place, left: int) -> Any:
        if not is_object(one):
            return self._variable(place)
        pair: Mapping[str, Any] = one
        names = {name: value for name, value in pair.items() if name in ("name", "key")}
        kept = self._object(names, place, self._within(left, place))
        return kept | {clean(name): self._variable((place, name)) for name in pair if name not in names}

    def _variable(self, place: Place) -> str:
        return self._cut(place, "environment variable")

    def _cut(self, place: Place, rule: str) -> str:
        self.cuts.append(Cut(written(place), rule))
        return mark(rule)


@lru_cache(maxsize=16384)
def _is_innocent(text: str) -> bool:
    """Whether a text, as most are, can be kept as it is."""
    return clean(text) == text and is_plain(text) and _TEXT_ENVIRONMENT.search(text) is None


@lru_cache(maxsize=8192)
def _says_nothing(name: str) -> bool:
    """Whether what bears this name is judged by itself alone."""
    judged = name == "value" or is_secret(name) or is_token(name) or _is_environment(name)
    return not judged and _is_innocent(name)


def _is_environment(name: str) -> bool:
    return _NOT_LETTERS.sub("", name.lower()) in _ENVIRONMENT


def _is_named_secret(pair: Mapping[str, Any], value: Any) -> bool:
    """`{"key": "db_password", "value": …}`."""
    told = (pair.get(member) for member in ("name", "key"))
    return any(isinstance(name, str) and _hides(name, value) for name in told)


def _hides(name: str, value: Any) -> bool:
    """Whether a value under this name must not be kept, of whatever kind it is."""
    if value is None or isinstance(value, bool) or value in ("", [], {}):
        return False
    if isinstance(value, str):
        return hides(name, value)
    if is_secret(name):
        return True
    return is_token(name) and is_list(value) and any(isinstance(one, str) for one in value)
