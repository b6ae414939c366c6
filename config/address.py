"""Which addresses can be somebody's, which hold a secret, and how they are shown."""

import ipaddress
import re
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

MASK = "***"
_SECRET = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|api_?key|access_?key|private_?key|credential|signature|^(auth|sig|key|pwd)$",
    re.IGNORECASE,
)
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_RELATIVE_SQLITE = re.compile(r"(?P<scheme>sqlite(?:\+\w+)?):///(?P<path>[^/?][^?]*)(?P<rest>\?.*)?")


def names_a_secret(key: str) -> bool:
    """Whether a key, a parameter or a header is called like something that must not be shown."""
    return _SECRET.search(key.replace("-", "_")) is not None


def holds_secret(url: str) -> bool:
    """Whether a password or a signed parameter stands in the address."""
    try:
        parts = urlsplit(url)
        return bool(parts.password) or any(names_a_secret(key) and value for key, value in parse_qsl(parts.query))
    except ValueError:
        return True


def shown(url: str) -> str:
    """The address without what must not be seen."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    where = parts.netloc
    if "@" in where:
        user, _, host = where.rpartition("@")
        where = f"{user.split(':')[0]}:{MASK}@{host}" if ":" in user else where
    query = urlencode([(k, MASK if names_a_secret(k) else v) for k, v in parse_qsl(parts.query, True)], safe="*/:")
    # Not urlunsplit: it takes the empty authority out of `sqlite:///file`.
    return url.partition("://")[0] + f"://{where}{parts.path}" + (f"?{query}" if query else "") if "://" in url else url


def masked(value: Any, key: str = "") -> Any:
    """Any JSON value without what must not be seen, at any depth."""
    if key and value is not None and names_a_secret(key):
        return MASK
    if isinstance(value, dict):
        return {inner: masked(item, inner) for inner, item in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [masked(item) for item in cast(list[Any], value)]
    return shown(value) if isinstance(value, str) else value


def complaint(url: str) -> str | None:
    """Why this can be nobody's address; None: it can."""
    if re.search(r"\s", url):
        return "holds a blank"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not an address: look at its brackets and its port"
    if not parts.scheme or ":" not in url:
        return "lacks its scheme"
    if parts.scheme in ("http", "https") and not parts.hostname:
        return "lacks its host"
    if port == 0:
        return "has port 0"
    return None


def anchored(url: str, folder: Path | None) -> str:
    """A relative `sqlite:///file` as seen from the folder of the settings; any other address as it is."""
    match = _RELATIVE_SQLITE.fullmatch(url)
    if match is None or folder is None or match["path"] == ":memory:":
        return url
    return f"{match['scheme']}:///{Path(folder, match['path'])}{match['rest'] or ''}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that is bound there."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_host(text: str) -> bool:
    """A host name or address, with a port or without."""
    host, _, port = text.rpartition(":") if re.search(r":\d+$", text) and not text.endswith("]") else (text, "", "")
    return _HOST.fullmatch(host) is not None and (not port or 0 < int(port) < 65536)
