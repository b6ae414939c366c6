"""What lies in the repository as data or text holds no secret, and each recording says where it is from."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KINDS = {".yaml", ".yml", ".json", ".ndjson", ".jsonl", ".md", ".toml", ".ini", ".txt", ".html", ".sh", ".sql"}
SKIPPED = {".git", ".venv", ".venvs", "build", "dist", "node_modules", ".pytest_cache", ".ruff_cache", ".hypothesis"}
SECRETS = {
    "a key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a signed address": r"[?&](?:X-Amz-Signature|X-Goog-Signature|sig|Signature)=[\w%+/=-]{16,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a token of GitHub": r"\bgh[oprsu]_[A-Za-z0-9]{36}|\bgithub_pat_\w{22,}",
    "a token of Databricks": r"\bdapi[0-9a-f]{32}\b",
    "a token of ours": r"\bwm_[a-z2-7]{10}_[a-z2-7]{52}\b",
    "a JSON web token": r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}",
    "a bearer token": r"(?i)\bbearer +(?!\$|<|\{|…|\.\.\.)[A-Za-z0-9._~+/-]{20,}",
    "a password in an address": r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'<>{}$]+:(?!\d+\b)[^\s/@\"'<>{}$]{6,}@",
}
_MADE_UP = re.compile(r"(?i)example|secret|password|placeholder|redacted|\*\*\*|change")
"""What a page of documentation writes where people write theirs."""


def texts(folder: Path = ROOT) -> Iterator[Path]:
    """Every file of data or prose."""
    for file in sorted(folder.iterdir()):
        if file.is_dir() and file.name not in SKIPPED and not file.name.endswith(".egg-info"):
            yield from texts(file)
        elif file.is_file() and file.suffix in KINDS:
            yield file


def found_in(text: str) -> list[str]:
    """Which kinds of secrets a text holds."""
    return [
        f"{what}: {one[0][:12]}…"
        for what, pattern in SECRETS.items()
        for one in re.finditer(pattern, text)
        if not _MADE_UP.search(one[0])
    ]


def test_no_data_and_no_page_holds_a_secret():
    told = {str(file.relative_to(ROOT)): found_in(file.read_text(errors="replace")) for file in texts()}
    assert len(told) > 20
    assert {file: found for file, found in told.items() if found} == {}


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "Z" * 16,
        "https://lake.acme.io/x?X-Amz-Signature=" + "0a" * 32,
        "-----BEGIN RSA PRIVATE " + "KEY-----",
        "ghp_" + "a" * 36,
        "Authorization: Bearer " + "a1" * 12,
        "postgres://ada:" + "hunter22" + "@db/x",
        "eyJ" + "a" * 10 + ".eyJ" + "b" * 10 + "." + "c" * 10,
    ],
)
def test_a_secret_would_be_found(text: str):
    assert found_in(text)


def test_each_recording_says_where_it_is_from():
    recordings = sorted((ROOT / "tests" / "connectors" / "cassettes").rglob("*.yaml"))
    assert recordings
    for file in recordings:
        head = file.read_text()[:500]
        assert re.search(r"^# (?:recorded: \S+ \d+\.\d+|written from: \S+)", head, re.MULTILINE), file
