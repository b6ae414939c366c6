"""Who we are at a platform. A credential is read at each use, so that a renewed file counts at once."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from pydantic import SecretStr

from ...config.settings import Source


class Auth(Protocol):
    """What goes along with each request to the source itself, and nowhere else."""

    def headers(self) -> Mapping[str, SecretStr]:
        """The headers as they are now. Raises `Misconfigured`."""
        ...

    def secrets(self) -> Sequence[SecretStr]:
        """Every form in which the secret may turn up in a foreign text."""
        ...


class Anonymous:
    """Nobody."""

    def headers(self) -> Mapping[str, SecretStr]:
        """None."""
        return {}

    def secrets(self) -> Sequence[SecretStr]:
        """None."""
        return ()


class Basic:
    """A user with a password."""

    def __init__(self, username: str, password: Callable[[], SecretStr | None]) -> None:
        self._username = username
        self._password = password

    def headers(self) -> Mapping[str, SecretStr]:
        """User and password in the form of RFC 7617."""
        return {"Authorization": SecretStr(f"Basic {self._pair()}")}

    def secrets(self) -> Sequence[SecretStr]:
        """The password, plain and as it is sent."""
        password = self._password()
        return (SecretStr(self._pair()), password) if password is not None else ()

    def _pair(self) -> str:
        password = self._password()
        pair = f"{self._username}:{password.get_secret_value() if password else ''}"
        return base64.b64encode(pair.encode()).decode()


class Token:
    """A bearer token, or a key in a header of the platform's own (`scheme` empty)."""

    def __init__(
        self, token: Callable[[], SecretStr | None], *, header: str = "Authorization", scheme: str = "Bearer"
    ) -> None:
        self._token = token
        self._header = header
        self._scheme = scheme

    def headers(self) -> Mapping[str, SecretStr]:
        """The token in its header."""
        token = self._token()
        if token is None:
            return {}
        return {self._header: SecretStr(f"{self._scheme} {token.get_secret_value()}".strip())}

    def secrets(self) -> Sequence[SecretStr]:
        """The token."""
        token = self._token()
        return () if token is None else (token,)


def auth_of(source: Source) -> Auth:
    """What the settings say: a user with a password, a token, or nobody."""
    if source.username is not None:
        return Basic(source.username, source.secret_password)
    if source.token is not None or source.token_file is not None:
        return Token(source.secret_token)
    return Anonymous()
