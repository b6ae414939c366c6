"""Addresses of git repositories: one spelling for the same one."""

import re

from .key import Key, key

_URL = re.compile(r"(?:git\+)?(https?|ssh|git)://(?:[^@/]*@)?([^/:]+)(?::(\d+))?/(.*)", re.IGNORECASE)
_SCP = re.compile(r"(?:[^@/\s]+@)?([^:/\s]+\.[^:/\s]+):(?!//)(.+)")
_REVISION = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_USUAL = {"http": "80", "https": "443", "ssh": "22", "git": "9418"}


def repository(url: str) -> tuple[str, str] | None:
    """Host and path of a repository, however it is fetched; None if it is none that others can reach."""
    text = url.strip()
    whole = _URL.match(text)
    if whole is not None:
        scheme, host, port, path = whole.groups()
        host = host if not port or port == _USUAL[scheme.lower()] else f"{host}:{port}"
    else:
        short = _SCP.fullmatch(text)
        if short is None:
            return None
        host, path = short.groups()
    path = re.split(r"[?#]", path, maxsplit=1)[0].strip("/").removesuffix(".git")
    return (host.lower(), path) if path else None


def git_key(url: str, commit: str) -> Key | None:
    """Code at a revision: strong if the revision is told in full."""
    where = repository(url)
    revision = commit.strip().lower()
    if where is None:
        return None
    host, path = where
    strong = bool(_REVISION.fullmatch(revision))
    text = f"{path}@{revision}" if revision else path
    return key("code", "git", host, text, strong=strong, rule="git revision")
