"""One configured instance of a platform, and how patiently it is read."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    SecretStr,
    StringConstraints,
    ValidationInfo,
)

from .address import MASK, anchored, complaint, holds_secret, masked
from .errors import Misconfigured
from .schedule import Schedule
from .section import Conflict, Section, told, wrong
from .values import Duration, FilePath, Size, Text, Texts, folder_of

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=100)]


def _text_only(given: object) -> object:
    # YAML makes a number of 0123 and a time of 12:30: what a platform then got would not be the secret.
    if given is None or isinstance(given, str | SecretStr):
        return given
    raise wrong("is a number, a list or a date to YAML: put it in quotes")


def _not_empty(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise wrong("is empty")
    return secret


def _hidden(_: SecretStr) -> str:
    return MASK


Secret = Annotated[
    SecretStr,
    BeforeValidator(_text_only),
    AfterValidator(_not_empty),
    PlainSerializer(_hidden, return_type=str, when_used="json"),
]
Options = Annotated[dict[str, Any], PlainSerializer(masked, when_used="json")]


def _platform_address(url: str, info: ValidationInfo) -> str:
    reason = complaint(url)
    if reason is not None:
        raise wrong(reason)
    if holds_secret(url):
        raise wrong("holds a password or a token: give it as token, or username and password, beside the url")
    return anchored(url, folder_of(info.context)).rstrip("/")


class Http(Section):
    """How patiently a platform that speaks HTTP is read."""

    timeout: Duration = Field(default=timedelta(seconds=30), examples=["30s"])
    """How long one answer may be silent."""
    retries: int = Field(default=5, ge=0, le=20, examples=[5])
    """How often one request is tried again."""
    budget: Duration = Field(default=timedelta(minutes=10), examples=["10m"])
    """How long one request may take in all, waits and retries included."""
    page_bytes: Size = Field(default=64 * 2**20, ge=1024, examples=["64 MiB"])
    """The largest answer that is read."""


class Source(Section):
    """One instance of a platform: what it is called, where it is, who we are there, what of it is wanted."""

    name: Name = Field(examples=["tracking"])
    """What people call it; it may change."""
    id: Name = Field(default_factory=lambda fields: fields.get("name", ""), examples=["tracking"])
    """Owns what the source said and never changes; the name where nothing is told."""
    platform: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$")] = Field(examples=["mlflow"])
    """Which connector reads it."""
    url: Annotated[Text, AfterValidator(_platform_address)] | None = Field(
        default=None, examples=["http://127.0.0.1:5000"]
    )
    """Where it answers."""
    path: FilePath | None = Field(default=None, examples=["./events"])
    """A file or a folder that is read instead of a url."""
    schedule: Schedule | None = Field(default=None, examples=["every 15m"])
    """When it is pulled by itself, in UTC; without it, only when asked."""
    token: Secret | None = Field(default=None, examples=["${MLFLOW_TOKEN}"])
    """A bearer token or an API key."""
    token_file: FilePath | None = Field(default=None, examples=["/run/secrets/mlflow-token"])
    """A file that holds the token, read at each use."""
    username: Text | None = Field(default=None, examples=["ml"])
    """The user of a password."""
    password: Secret | None = Field(default=None, examples=["${MLFLOW_PASSWORD}"])
    """The password of the user."""
    password_file: FilePath | None = Field(default=None, examples=["/run/secrets/mlflow-password"])
    """A file that holds the password, read at each use."""
    client_cert: FilePath | None = Field(default=None, examples=["./client.pem"])
    """A certificate that we show, in PEM."""
    client_key: FilePath | None = Field(default=None, examples=["./client.key"])
    """Its key, where the certificate's file does not hold it."""
    ca: FilePath | None = Field(default=None, examples=["./ca.pem"])
    """The authorities that we believe beside the system's, in PEM."""
    include: Texts = Field(default=(), examples=[["churn*"]])
    """Patterns of names; where there are any, nothing else is read."""
    exclude: Texts = Field(default=(), examples=[["tmp/*"]])
    """Patterns of names that are not read."""
    also: Texts = Field(default=(), examples=[["*.amazonaws.com"]])
    """Further hosts that may be asked for what the platform hands out by address. Beside a source on this machine over
    http, `http://127.0.0.1:9000` is one too."""
    workspaces: Texts = Field(default=(), examples=[["default"]])
    """Which workspaces, projects or entities are read; all that are seen where nothing is told."""
    namespaces: Texts = Field(default=(), examples=[["food_delivery"]])
    """Which namespaces are read; all that are seen where nothing is told."""
    http: Http = Field(default=Http(), examples=[{"timeout": "2m"}])
    """What differs from the `http` of all sources."""
    options: Options = Field(default_factory=dict[str, Any], repr=False, examples=[{"system_metrics": False}])
    """What only this platform knows; see its page."""

    @classmethod
    def conflicts(cls, given: Mapping[str, object]) -> Iterator[Conflict]:
        """Two ways to say one thing, and halves without their other half."""
        here = told(given, "url", "path")
        if len(here) != 1:
            reason = "stands beside url: keep one of them" if here else "is missing, and path too: one is needed"
            yield Conflict(("path",) if here else ("url",), reason)
        for one, other in (("token", "token_file"), ("password", "password_file"), ("token", "username")):
            if len(told(given, one, other)) == 2:
                yield Conflict((other,), f"stands beside {one}: keep one of them")
        passwords = told(given, "password", "password_file")
        if passwords and not told(given, "username"):
            yield Conflict((passwords[0],), "needs a username beside it", "username: ml")
        if told(given, "username") and not passwords:
            yield Conflict(("username",), "needs a password or a password_file beside it", "password_file: ./password")
        if told(given, "client_key") and not told(given, "client_cert"):
            yield Conflict(("client_key",), "needs a client_cert beside it", "client_cert: ./client.pem")

    def secret_token(self) -> SecretStr | None:
        """The token, read from its file where it stands in one. Raises `Misconfigured`."""
        return self.token or self._from_file("token_file", self.token_file)

    def secret_password(self) -> SecretStr | None:
        """The password, read from its file where it stands in one. Raises `Misconfigured`."""
        return self.password or self._from_file("password_file", self.password_file)

    def selects(self, name: str) -> bool:
        """Whether `include` and `exclude` let this name through."""
        wanted = not self.include or any(fnmatchcase(name, pattern) for pattern in self.include)
        return wanted and not any(fnmatchcase(name, pattern) for pattern in self.exclude)

    @property
    def selection(self) -> str:
        """All that says which things are read, in one text."""
        parts = (self.include, self.exclude, self.workspaces, self.namespaces)
        return repr([sorted(set(part)) for part in parts])

    def with_http(self, general: Http) -> Self:
        """The source as it is read where `general` holds for all: its own word stands."""
        own = {key: getattr(self.http, key) for key in self.http.model_fields_set}
        return self.model_copy(update={"http": general.model_copy(update=own)})

    def _from_file(self, key: str, path: Path | None) -> SecretStr | None:
        if path is None:
            return None
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            remedy = "let the user of this process read it"
            raise Misconfigured(f"source {self.name!r}: {key} {path} cannot be read: {reason}; {remedy}") from error
        if not text:
            raise Misconfigured(f"source {self.name!r}: {key} {path} is empty. Write the secret into it, nothing else")
        return SecretStr(text)
