"""`init` and `config`: what a newcomer meets first."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from watersmeet.api.cli.app import app
from watersmeet.api.cli.exits import Code
from watersmeet.config.settings import EXAMPLE

run = CliRunner()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WATERSMEET_CONFIG", raising=False)


def written(text: str) -> Path:
    file = Path("watersmeet.yaml")
    file.write_text(text)
    return file


def test_init_writes_the_commented_example():
    result = run.invoke(app, ["init"])
    assert result.exit_code == Code.OK
    assert Path("watersmeet.yaml").read_text() == EXAMPLE.read_text()


def test_init_never_overwrites():
    file = written("# mine\n")
    result = run.invoke(app, ["init"])
    assert result.exit_code == Code.MISCONFIGURED
    assert "stays as it is" in result.stderr
    assert file.read_text() == "# mine\n"


def test_without_a_configuration_every_place_looked_is_named():
    result = run.invoke(app, ["config", "show"])
    assert result.exit_code == Code.MISCONFIGURED
    for place in ("--config", "WATERSMEET_CONFIG", "watersmeet.yaml"):
        assert place in result.stderr
    assert "Traceback" not in result.output


def test_config_check_tells_all_that_is_wrong_at_once():
    written("server: {prot: 1}\nsources:\n  - {name: a b, platform: mlflow}\n")
    result = run.invoke(app, ["config", "check"])
    assert result.exit_code == Code.MISCONFIGURED
    assert "server.prot" in result.stdout
    assert "sources[0]" in result.stdout


def test_config_check_is_content_with_a_right_one():
    written("sources:\n  - {name: a, platform: mlflow, url: 'http://127.0.0.1:5000'}\n")
    assert run.invoke(app, ["config", "check"]).exit_code == Code.OK


def test_config_show_hides_every_secret():
    written("sources:\n  - {name: a, platform: mlflow, url: 'http://127.0.0.1:5000', token: s3cret}\n")
    for arguments in (["config", "show"], ["--json", "config", "show"]):
        result = run.invoke(app, arguments)
        assert result.exit_code == Code.OK
        assert "s3cret" not in result.output
        assert "127.0.0.1:5000" in result.output


@pytest.mark.parametrize("arguments", [["--json", "config", "show"], ["config", "show", "--json"]])
def test_json_counts_before_the_command_and_behind_it(arguments: list[str]):
    written("server: {port: 9000}\n")
    result = run.invoke(app, arguments)
    assert json.loads(result.stdout)["server"]["port"] == 9000


def test_errors_are_json_too_where_json_is_asked_for():
    result = run.invoke(app, ["--json", "config", "show"])
    assert result.stdout == ""
    assert json.loads(result.stderr)["error"]["code"] == "Misconfigured"


def test_config_names_another_file():
    other = Path("other.yaml")
    other.write_text("server: {port: 9001}\n")
    result = run.invoke(app, ["--config", str(other), "--json", "config", "show"])
    assert json.loads(result.stdout)["server"]["port"] == 9001
