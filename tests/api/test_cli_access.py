"""Tokens and the audit log from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from watersmeet.api.cli.app import app
from watersmeet.api.cli.exits import Code
from watersmeet.federation.store import Store


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "watersmeet.yaml"
    file.write_text(f"store: {{url: 'sqlite:///{tmp_path / 'store.db'}'}}\n")
    return file


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), *words])


def told(config: Path, *words: str) -> Any:
    result = run(config, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_token_is_shown_once_and_then_only_its_id(config: Path, tmp_path: Path):
    made = told(config, "token", "create", "ci", "--role", "inlet", "--expires", "90d")
    assert made["token"].startswith(f"wm_{made['id']}_")
    listed = run(config, "token", "list").output + json.dumps(told(config, "token", "list"))
    assert made["id"] in listed
    assert made["token"].rpartition("_")[2] not in listed
    for file in tmp_path.glob("store.db*"):
        if file.is_file():
            assert made["token"].rpartition("_")[2].encode() not in file.read_bytes()


def test_the_first_line_is_the_token_alone(config: Path):
    lines = run(config, "token", "create", "ci", "--role", "viewer").stdout.splitlines()
    assert len(lines[0]) == 66
    assert "shown this once" in lines[-1]


def test_a_token_is_revoked_by_its_id(config: Path):
    made = told(config, "token", "create", "ci", "--role", "viewer")
    assert told(config, "token", "revoke", made["id"])["state"] == "revoked"
    assert [row["state"] for row in told(config, "token", "list")] == ["revoked"]
    assert run(config, "token", "revoke", "nope").exit_code == Code.NOT_FOUND


@pytest.mark.parametrize(
    "words",
    [
        ("ci", "--role", "king"),
        ("ci", "--role", "viewer", "--expires", "soon"),
        ("ci", "--role", "viewer", "--expires", "0d"),
        (" ", "--role", "viewer"),
        ("ci",),
    ],
)
def test_what_can_be_no_token_is_refused(config: Path, words: tuple[str, ...]):
    result = run(config, "token", "create", *words)
    assert result.exit_code == Code.USAGE
    assert told(config, "token", "list") == []


def test_the_audit_log_is_listed_and_verified(config: Path, tmp_path: Path):
    made = told(config, "token", "create", "ci", "--role", "viewer")
    told(config, "token", "revoke", made["id"])
    entries = told(config, "audit", "list", "--what", "token.revoke")
    assert [entry["detail"]["name"] for entry in entries] == ["ci"]
    assert entries[0]["by"].startswith("command line")
    assert "token.create" in run(config, "audit", "list", "--since", "2020-01-01").output
    assert told(config, "audit", "list", "--since", "2999-01-01") == []
    assert told(config, "audit", "verify")["broken"] == []
    assert "is whole" in run(config, "audit", "verify").output


def test_a_log_that_somebody_touched_is_told_with_the_first_broken_entry(config: Path, tmp_path: Path):
    import sqlite3

    told(config, "token", "create", "ci", "--role", "viewer")
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute(
            "UPDATE audit SET body = CAST(replace(CAST(body AS TEXT), 'viewer', 'admin') AS BLOB) WHERE seq = 1"
        )
    connection.close()
    result = run(config, "audit", "verify")
    assert result.exit_code == Code.INCOMPLETE
    assert "entry 1 of chain" in result.output
    [finding] = [
        one for one in json.loads(run(config, "--json", "doctor").stdout)["findings"] if one["code"] == "audit"
    ]
    assert finding["weight"] == "BROKEN"
    assert "entry 1 of chain" in finding["examples"][0]
    assert "watersmeet audit verify" in finding["remedy"]


def test_what_is_done_to_the_whole_store_is_written_down(config: Path, tmp_path: Path):
    told(config, "rebuild")
    told(config, "backup", str(tmp_path / "copy.db"))
    other = tmp_path / "other.yaml"
    other.write_text(f"store: {{url: 'sqlite:///{tmp_path / 'again.db'}'}}\n")
    told(other, "restore", str(tmp_path / "copy.db"))
    with Store.open(f"sqlite:///{tmp_path / 'again.db'}") as store:
        kinds = [row.what for row in store.audit.entries()]
        assert [kind for kind in kinds if kind != "seal"] == ["store.rebuild", "store.backup", "store.restore"]
        assert store.audit.prove().broken == ()
