"""Which names mark a secret, and what a secret looks like inside a text."""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

LONGEST = 512
"""The longest secret that is looked for in a text, so that a hostile one costs little."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_ALONE = frozenset(
    {
        "apikey",
        "apitoken",
        "accesskey",
        "accesstoken",
        "authorization",
        "authtoken",
        "clientsecret",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "jwt",
        "passphrase",
        "passwd",
        "password",
        "passwords",
        "privatekey",
        "pwd",
        "secret",
        "secretkey",
        "secrets",
        "sessiontoken",
    }
)
_KEYS = frozenset(
    {"access", "account", "api", "encryption", "master", "private", "secret", "shared", "signing", "ssh", "storage"}
)
"""What a `key` is of, where it opens something. (A primary, sort or partition key opens nothing.)"""
_LAST = frozenset({"token", "bearer", "auth", "sas"})
"""A secret only as the last word: a `token_count` or an `auth_type` is none."""
_TAIL = frozenset({"value", "text", "string", "plain"})
_IN_QUERIES = frozenset(
    {
        "awsaccesskeyid",
        "sig",
        "signature",
        "x-amz-credential",
        "x-amz-security-token",
        "x-amz-signature",
        "x-goog-credential",
        "x-goog-signature",
    }
)
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?|true|false", re.IGNORECASE)


@lru_cache(maxsize=8192)
def is_secret(name: str) -> bool:
    """Whether what bears this name is a secret, whatever its value."""
    words = [word.lower() for word in _WORD.findall(name)][-12:]
    if not words:
        return False
    if any(word in _ALONE for word in words):
        return True
    return any(a in _KEYS and b in ("key", "keys") for a, b in pairwise(words))


@lru_cache(maxsize=8192)
def is_token(name: str) -> bool:
    """Whether what bears this name is a secret, unless it is a number: tokens open doors, and are counted."""
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and words[-1] in _TAIL:
        words.pop()
    return bool(words) and (words[-1] in _LAST or words[-1] == "tokens")


def is_count(text: str) -> bool:
    """Whether a text is only a number or a yes or no."""
    return bool(_NUMBER.fullmatch(text.strip()))


def hides(name: str, value: str) -> bool:
    """Whether a text under this name must not be kept."""
    return (
        bool(value)
        and not value.startswith("[redacted: ")
        and (is_secret(name) or (is_token(name) and not is_count(value)))
    )


def mark(rule: str) -> str:
    """What stands where something was cut."""
    return f"[redacted: {rule}]"


_HINT = re.compile(
    r"[@=]|--\w|bearer|authorization|-----BEGIN|AKIA|ASIA|AIza|eyJ|dapi|ghp_|gho_|ghs_|github_pat_|glpat-|xox[a-z]-|sk-|wm_"
    r"|(?:pass|pwd|secret|token|key|credential|cookie)\w*[\"']?\s*:|identified\s+by|password",
    re.IGNORECASE,
)
_SIGNS = (
    *("@", "=", "--", "bearer", "authorization", "akia", "asia", "aiza", "eyj", "dapi", "ghp_", "gho_", "ghs_"),
    *("github_pat_", "glpat-", "xox", "sk-", "wm_", "pass", "pwd", "secret", "token", "key", "credential", "cookie"),
    "identified",
)
"""What each way to match `_HINT` contains: a text without any is told apart twenty times as fast."""
_USER = re.compile(
    r"([a-z][a-z0-9+.\-]*)://(?:([^\s/?#@:\"'<>]*:(?!\d{1,5}(?:[/?#]|$))[^\s\"'<>]*)|([^\s/?#@:\"'<>]+))$",
    re.IGNORECASE,
)
"""What stands before the `@` of a URI: user and password, or one word."""
_HOST_END = re.compile(r"[\s/\"'<>?#,;]")
_ASSIGNED = re.compile(
    r"(?<![\w.\-])((?:--)?[A-Za-z][\w.\-]{0,95})(\s{0,4}=\s{0,4})('[^']{0,512}'|\"[^\"]{0,512}\"|[^\s&;,'\"<>#)}\]]{1,512})"
)
_QUOTED = re.compile(
    r"(\\?[\"'])([A-Za-z][\w.\- ]{0,95})\1(\s{0,8}[:=]\s{0,8})"
    r"(\"(?:[^\"\\]|\\.)*\"|\\\"(?:[^\"\\]|\\(?!\"))*\\\"|'[^']{0,512}'|-?\d[\d.]{0,40})",
)
_NAMED = re.compile(
    r"(\\?\"(?:name|key)\\?\"\s{0,8}:\s{0,8}\\?\")([\w.\-]{1,96})(\\?\"\s{0,8},\s{0,8}\\?\"value\\?\"\s{0,8}:\s{0,8}\\?\")"
    r"([^\"\\]{0,512})"
)
_FLAG = re.compile(r"(--)([A-Za-z][\w\-]{1,63})(\s{1,4})([^\s\-'\"][^\s'\"]{0,511}|'[^']{0,512}'|\"[^\"]{0,512}\")")
_HEADER = re.compile(
    r"(authorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:[a-z]{1,32}\s{1,4})?)([^\s\"',;]{4,2048})", re.IGNORECASE
)
_BEARER = re.compile(r"(\bbearer\s{1,4})([A-Za-z0-9\-._~+/]{8,4096}=*)", re.IGNORECASE)
_SQL = re.compile(r"(\b(?:identified\s{1,4}by|password)\s{1,4})('[^']{1,512}')", re.IGNORECASE)
_KNOWN = re.compile(
    r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----(?:[^-]|-(?!-))*(?:-----END [A-Z ]{0,32}PRIVATE KEY-----)?"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z\-_]{35}|\bdapi[0-9a-f]{32}\b|\bgithub_pat_\w{22,255}|\bgh[opsu]_\w{36,255}"
    r"|\bglpat-[\w\-]{20,64}|\bxox[a-z]-[\w\-]{10,250}|\bsk-[A-Za-z0-9_\-]{20,200}|(?<![A-Za-z0-9])wm_[a-z2-7]{10}_[a-z2-7]{52}"
    r"|(?<![\w\-])eyJ[\w\-]{8,4096}\.eyJ[\w\-]{4,8192}\.[\w\-]{0,4096}"
)


def redacted(text: str) -> tuple[str, tuple[str, ...]]:
    """A text without the secrets that its form gives away, and the rules that found some."""
    if is_plain(text):
        return text, ()
    rules: dict[str, None] = {}
    shorter = _without_credentials(text)
    if shorter != text:
        rules["credentials in a URI"] = None
        text = shorter
    for pattern, rule, cut in _RULES:
        shorter = pattern.sub(cut, text)
        if shorter != text:
            rules[rule] = None
            text = shorter
    return text, tuple(rules)


def is_plain(text: str) -> bool:
    """Whether nothing in a text even looks like a secret."""
    folded = text.casefold()
    return not any(sign in folded for sign in _SIGNS) or _HINT.search(text) is None


def _without_credentials(text: str) -> str:
    """Every URI without user and password. Looks back from each `@`, so that no text makes it slow."""
    kept: list[str] = []
    done = at = 0
    while (at := text.find("@", at)) >= 0:
        start = max(done, at - LONGEST)
        scheme = text.rfind("://", start, at)
        found = _USER.search(text, max(start, scheme - 32), at) if scheme >= 0 else None
        if found is not None and _is_credential(found):
            at = _last_sign(text, at)
            kept += (text[done : found.start()], f"{found[1]}://{mark('credentials')}")
            done = at
        at += 1
    return "".join((*kept, text[done:])) if kept else text


def _is_credential(found: re.Match[str]) -> bool:
    """`abfss://container@account` and `ssh://git@host` hide nothing; one word before a web host is a token."""
    scheme, pair, single = found.groups()
    return not (pair or single).startswith("[redacted: ") and (pair is not None or scheme.lower().startswith("http"))


def _last_sign(text: str, at: int) -> int:
    """The last `@` before the host ends: a password may hold some."""
    end = _HOST_END.search(text, at, at + LONGEST)
    return text.rfind("@", at, end.start() if end else min(len(text), at + LONGEST))


def _of_assignment(found: re.Match[str]) -> str:
    name, sign, value = found.groups()
    bare = value.strip("'\"")
    if bare.startswith("[redacted: ") or not (hides(name, bare) or name.lower() in _IN_QUERIES):
        return found[0]
    if value == bare and bare.rpartition(".")[2].lower() == name.rpartition(".")[2].lower():
        return found[0]  # two columns that a query compares
    return f"{name}{sign}{_around(value, mark('value of a secret'))}"


def _of_quoted(found: re.Match[str]) -> str:
    quote, name, sign, value = found.groups()
    bare = value.strip("\\'\"")
    if not hides(name, bare):
        return found[0]
    shut = value if value[0] in "\\'\"" else '"'
    return f"{quote}{name}{quote}{sign}{_around(shut, mark('value of a secret'))}"


def _of_pair(found: re.Match[str]) -> str:
    before, name, between, value = found.groups()
    return f"{before}{name}{between}{mark('value of a secret')}" if hides(name, value) else found[0]


def _of_flag(found: re.Match[str]) -> str:
    dashes, name, gap, value = found.groups()
    return f"{dashes}{name}{gap}{mark('value of a secret')}" if hides(name, value) else found[0]


def _of_scheme(found: re.Match[str]) -> str:
    return found[0] if found[2].startswith("[redacted: ") else f"{found[1]}{mark('credentials')}"


def _of_known(found: re.Match[str]) -> str:
    return mark("looks like a secret")


def _around(value: str, inner: str) -> str:
    """The mark in the quotes that stood around the value."""
    for quote in ('\\"', "\\'", '"', "'"):
        if value.startswith(quote):
            return f"{quote}{inner}{quote}"
    return inner


_RULES: tuple[tuple[re.Pattern[str], str, Callable[[re.Match[str]], str]], ...] = (
    (_HEADER, "authorization header", _of_scheme),
    (_BEARER, "bearer token", _of_scheme),
    (_QUOTED, "value of a secret", _of_quoted),
    (_NAMED, "value of a secret", _of_pair),
    (_ASSIGNED, "value of a secret", _of_assignment),
    (_FLAG, "value of a secret", _of_flag),
    (_SQL, "password in SQL", _of_scheme),
    (_KNOWN, "looks like a secret", _of_known),
)
