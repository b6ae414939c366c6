"""The whole configuration as one frozen tree, and how it is found and read."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from .address import anchored, shown
from .agreement import disagreements
from .document import PREFIX, Document
from .errors import Misconfigured
from .problems import Problem, in_words, spell
from .reach import Tls
from .registry import Authority, AuthorityName, Binding
from .schedule import Cron, Every
from .section import Conflict, Section, wrong
from .server import Inlet, Limits, Server
from .sources import Http, Source
from .values import Text, folder_of

__all__ = [
    "DEMO",
    "EXAMPLE",
    "Authority",
    "Binding",
    "Cron",
    "Every",
    "Http",
    "Inlet",
    "Limits",
    "Misconfigured",
    "Problem",
    "Server",
    "Settings",
    "Source",
    "Store",
    "Tls",
    "load",
    "problems",
]

EXAMPLE = Path(__file__).with_name("example.yaml")
"""Every key, with what it means."""
DEMO = Path(__file__).with_name("demo.yaml")
"""What `watersmeet demo` runs on."""

_VARIABLE = f"{PREFIX}CONFIG"
_DEFAULT = Path("watersmeet.yaml")
_STORE = f"{PREFIX}STORE__URL"


def _store_address(url: str, info: ValidationInfo) -> str:
    scheme, _, rest = url.partition("://")
    match scheme.partition("+")[0]:
        case "sqlite":
            if not rest.lstrip("/") or ":memory:" in rest or not rest.startswith("/"):
                raise wrong("needs a file: syncs run in processes of their own and must find the same store")
            return anchored(url, folder_of(info.context))
        case "postgresql":
            if not rest.partition("?")[0].partition("/")[2]:
                raise wrong("lacks the name of a database", "url: postgresql://user@host/watersmeet")
            return url
        case "postgres":
            raise wrong("is spelled postgresql://", "url: postgresql://user@host/watersmeet")
        case _:
            raise wrong("is neither sqlite:///FILE nor postgresql://USER@HOST/DATABASE")


_Address = Annotated[Text, AfterValidator(_store_address), PlainSerializer(shown, return_type=str, when_used="json")]


class Store(Section):
    """Where everything that is known lies."""

    url: _Address = Field(
        default="sqlite:///watersmeet.db", repr=False, examples=["sqlite:///watersmeet.db"], validate_default=True
    )
    """A SQLite file or a PostgreSQL database; its password may stand in it, as ${VARIABLE}."""


class Settings(Section):
    """All that can be set."""

    store: Store = Field(default_factory=Store, examples=[{"url": "sqlite:///watersmeet.db"}])
    """Where everything that is known lies."""
    server: Server = Field(default=Server(), examples=[{"port": 8765}])
    """Where the server listens, and what a request may cost."""
    inlet: Inlet = Field(default=Inlet(), examples=[{"name": "inlet"}])
    """The built-in source of posted events."""
    http: Http = Field(default=Http(), examples=[{"timeout": "30s"}])
    """How patiently sources are read, where a source does not say otherwise."""
    sources: tuple[Source, ...] = Field(
        default=(), examples=[[{"name": "tracking", "platform": "mlflow", "url": "http://127.0.0.1:5000"}]]
    )
    """What is read. Where sources disagree, the earlier one is believed."""
    authorities: dict[AuthorityName, Authority] = Field(
        default_factory=dict[str, Authority], examples=[{"snowflake/acme-prod": {"aliases": "acme-prod"}}]
    )
    """Accounts, clusters and hosts that have several names."""
    bindings: tuple[Binding, ...] = Field(
        default=(), examples=[[{"openlineage": "snowflake://acme-prod", "authority": "snowflake/acme-prod"}]]
    )
    """Which of them a source's container is."""
    _path: Path | None = PrivateAttr(None)

    @property
    def path(self) -> Path | None:
        """The file they were read from."""
        return self._path

    @classmethod
    def conflicts(cls, given: Mapping[str, object]) -> Iterator[Conflict]:
        """What sources, authorities and bindings must agree on."""
        yield from disagreements(given)

    @field_validator("sources")
    @classmethod
    def _with_http(cls, sources: tuple[Source, ...], info: ValidationInfo) -> tuple[Source, ...]:
        general = info.data.get("http")
        return tuple(source.with_http(general) for source in sources) if isinstance(general, Http) else sources

    @classmethod
    def of(cls, raw: Mapping[str, object], *, place: str = "settings") -> Self:
        """Settings made in code. Raises `Misconfigured` with everything that is wrong."""
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            found = [Problem(place, spell(loc), reason, example) for loc, reason, example in in_words(error, cls)]
        raise Misconfigured(_message(found))

    def redacted(self) -> dict[str, Any]:
        """A view that may be shown: JSON, and no secret in it."""
        return self.model_dump(mode="json")


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of `path`, else of $WATERSMEET_CONFIG, else of ./watersmeet.yaml. Raises `Misconfigured`."""
    settings, found = _read(path, os.environ if environ is None else environ)
    if settings is None:
        raise Misconfigured(_message(sorted(found, key=_in_reading_order)))
    return settings


def problems(path: Path | None = None, environ: Mapping[str, str] | None = None) -> list[Problem]:
    """Everything that is wrong with the settings that `load` would read; empty: nothing."""
    return sorted(_read(path, os.environ if environ is None else environ)[1], key=_in_reading_order)


def _read(path: Path | None, environ: Mapping[str, str]) -> tuple[Settings | None, list[Problem]]:
    file, missing = _locate(path, environ)
    if missing is not None:
        return None, [missing]
    document = Document(Settings, file)
    if file is not None:
        document.read_file(environ)
        if () in document.unusable:
            return None, document.problems
    document.override(environ)
    document.raw.setdefault("store", {})  # so that the default, too, starts from the folder of the file
    return _judged(document, file)


def _judged(document: Document, file: Path | None) -> tuple[Settings | None, list[Problem]]:
    try:
        settings = Settings.model_validate(document.raw, context={"folder": document.folder})
    except ValidationError as error:
        settings = None
        for loc, reason, example in in_words(error, Settings):
            if not any(loc[: len(bad)] == bad for bad in document.unusable):
                document.problems.append(Problem(document.place(loc), spell(loc), reason, example))
    if settings is None or document.problems:
        return None, document.problems
    settings._path = file  # pyright: ignore[reportPrivateUsage]  # the file is known here only
    return settings, []


def _locate(path: Path | None, environ: Mapping[str, str]) -> tuple[Path | None, Problem | None]:
    named = path or (Path(environ[_VARIABLE]) if environ.get(_VARIABLE) else None)
    if named is not None:
        named = named.expanduser()
        place = str(named) if path else f"environment variable {_VARIABLE}"
        if named.is_file():
            return named, None
        what = "is a folder, not a file" if named.is_dir() else "does not exist"
        return None, Problem(place, str(named) if not path else "", what, f"watersmeet --config {_DEFAULT} …")
    if _DEFAULT.is_file():
        return _DEFAULT, None
    if environ.get(_STORE):
        return None, None
    looked = f"--config (not given), ${_VARIABLE} (not set), ./{_DEFAULT} (absent)"
    example = "store: {url: sqlite:///watersmeet.db}"
    return None, Problem(looked, "", f"there is no configuration; write ./{_DEFAULT} or set {_STORE}", example)


def _in_reading_order(problem: Problem) -> tuple[str, int]:
    file, _, line = problem.place.rpartition(":")
    return (file, int(line)) if line.isdigit() else ("~" + problem.place, 0)


def _message(found: list[Problem]) -> str:
    if len(found) == 1:
        return str(found[0])
    return "\n  ".join([f"{len(found)} things are wrong with the configuration:", *map(str, found)])
