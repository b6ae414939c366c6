"""`letters`: what could not be taken is read, corrected, replayed or discarded, and never lost."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from watersmeet.api.cli.app import app
from watersmeet.api.cli.exits import Code
from watersmeet.federation import events
from watersmeet.federation.store import Store

from .test_cli_syncing import EVENT, run, written

WRONG = {name: value for name, value in EVENT.items() if name != "job"}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Three events, of which the second names no job and the third is no JSON."""
    lines = [json.dumps(EVENT), json.dumps(WRONG | {"password": "hunter2-planted"}), '{"token": "s3cr3t-planted", ']
    (tmp_path / "events.ndjson").write_text("\n".join(lines) + "\n")
    file = written(tmp_path, {"name": "events", "platform": "openlineage", "path": "./events.ndjson"})
    assert run(file, "sync").exit_code == Code.OK
    return file


def answer(result: Result) -> Any:
    assert result.exit_code == Code.OK, result.output
    return json.loads(result.stdout)


def waiting(config: Path) -> list[dict[str, Any]]:
    return answer(run(config, "letters", "--json"))["letters"]


def test_letters_are_listed_with_the_reason_and_what_to_do(config: Path):
    broken, wrong = waiting(config)
    assert "no JSON" in broken["reason"]
    assert (wrong["reason"], wrong["path"]) == ("a run needs a job", "$.job")
    assert f"letters replay {wrong['id']} --file" in wrong["remedy"]
    assert "$.job" in wrong["remedy"]
    shown = run(config, "letters")
    assert "a run needs a job" in shown.output
    assert "2 of 2" in shown.output


def test_pages_of_letters_follow_one_another(config: Path):
    first = answer(run(config, "letters", "--first", "1", "--json"))
    second = answer(run(config, "letters", "--first", "1", "--after", str(first["next"]), "--json"))
    assert [len(page["letters"]) for page in (first, second)] == [1, 1]
    assert first["letters"][0]["id"] > second["letters"][0]["id"]
    assert (first["total"], second["next"]) == (2, None)


def test_letters_can_be_narrowed_to_a_source_and_a_time(config: Path):
    assert len(answer(run(config, "letters", "--source", "events", "--json"))["letters"]) == 2
    assert answer(run(config, "letters", "--source", "inlet", "--json"))["letters"] == []
    assert answer(run(config, "letters", "--since", "2100-01-01", "--json"))["letters"] == []
    assert run(config, "letters", "--source", "nobody").exit_code == Code.NOT_FOUND


def test_a_letter_is_shown_as_it_was_kept_without_secrets(config: Path):
    broken, wrong = waiting(config)
    shown = answer(run(config, "letters", "show", str(wrong["id"]), "--json"))
    assert json.loads(shown["body"])["outputs"] == EVENT["outputs"]
    told = run(config, "letters", "show", str(broken["id"])).output
    assert '{"token": ' in told
    for text in (shown["body"], told):
        assert "planted" not in text
    assert run(config, "letters", "show", "999999").exit_code == Code.NOT_FOUND


def test_a_corrected_letter_is_replayed_once_and_names_its_event(config: Path, tmp_path: Path):
    wrong = waiting(config)[1]
    corrected = tmp_path / "corrected.json"
    run_id = "0190a0e0-0000-7000-8000-000000000002"
    corrected.write_text(json.dumps(EVENT | {"run": {"runId": run_id}}))
    replay = ("letters", "replay", str(wrong["id"]), "--file", str(corrected), "--json")
    [first] = answer(run(config, *replay))
    [second] = answer(run(config, *replay))
    assert first == second
    assert first["state"] == "REPLAYED"
    shown = answer(run(config, "letters", "show", str(wrong["id"]), "--json"))
    assert shown["replayed_as"] == first["replayed_as"]
    assert len(waiting(config)) == 1
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        assert [number for number, body in store.events.after("events", 0) if run_id.encode() in body] == [
            first["replayed_as"]
        ]
    assert answer(run(config, "search", "marts", "--json"))["total"] >= 1


def test_a_letter_that_is_still_wrong_waits_on(config: Path, tmp_path: Path):
    wrong = waiting(config)[1]
    result = run(config, "letters", "replay", str(wrong["id"]), "--json")
    assert result.exit_code == Code.INCOMPLETE
    [told] = json.loads(result.stdout)
    assert (told["state"], told["reason"], told["path"]) == ("WAITING", "a run needs a job", "$.job")
    assert len(waiting(config)) == 2


def test_an_export_is_corrected_and_replayed_as_a_whole(config: Path, tmp_path: Path):
    exported = tmp_path / "letters.ndjson"
    assert answer(run(config, "letters", "export", "--output", str(exported), "--json"))["letters"] == 2
    lines = [json.loads(line) for line in exported.read_text().splitlines()]
    assert {line["event"] is None for line in lines} == {True, False}
    for number, line in enumerate(lines):
        line["event"] = EVENT | {"run": {"runId": f"0190a0e0-0000-7000-8000-00000000001{number}"}}
    exported.write_text("\n".join(map(json.dumps, lines)))
    assert len(answer(run(config, "letters", "replay", "--all", "--file", str(exported), "--json"))) == 2
    assert waiting(config) == []
    assert len(answer(run(config, "letters", "--state", "replayed", "--json"))["letters"]) == 2


def test_a_file_of_corrections_that_is_none_is_told_by_its_line(config: Path, tmp_path: Path):
    (tmp_path / "odd.ndjson").write_text('{"id": 1}\n')
    result = run(config, "letters", "replay", "--all", "--file", str(tmp_path / "odd.ndjson"))
    assert result.exit_code == Code.MISCONFIGURED
    assert "line 1" in result.output
    assert run(config, "letters", "replay", "1", "--file", str(tmp_path / "none")).exit_code == Code.MISCONFIGURED
    assert run(config, "letters", "replay").exit_code == Code.USAGE


def test_a_discarded_letter_is_kept_with_the_reason_and_can_still_be_replayed(config: Path, tmp_path: Path):
    wrong = waiting(config)[1]
    assert run(config, "letters", "discard", str(wrong["id"]), "--reason", " ").exit_code == Code.USAGE
    for reason in ("a test of ours", "another"):
        told = answer(run(config, "letters", "discard", str(wrong["id"]), "--reason", reason, "--json"))
    assert (told["state"], told["note"]) == ("DISCARDED", "a test of ours")
    assert len(waiting(config)) == 1
    assert [one["id"] for one in answer(run(config, "letters", "--state", "discarded", "--json"))["letters"]] == [
        wrong["id"]
    ]
    (tmp_path / "right.json").write_text(json.dumps(EVENT | {"eventType": "START"}))
    replayed = run(config, "letters", "replay", str(wrong["id"]), "--file", str(tmp_path / "right.json"), "--json")
    assert answer(replayed)[0]["state"] == "REPLAYED"
    assert run(config, "letters", "discard", str(wrong["id"]), "--reason", "late").exit_code == Code.USAGE


def test_sources_and_answers_count_what_waits(config: Path):
    [events, _inlet] = answer(run(config, "sources", "--json"))
    assert (events["letters"], events["skipped"]) == (2, 2)
    asked = run(config, "ask", "postgres://db:5432/shop.public.orders", "--json")
    assert asked.exit_code == Code.INCOMPLETE
    [failure] = json.loads(asked.stdout)["completeness"]["failures"]
    assert "2 events" in failure["what"]
    assert "watersmeet letters --source events" in failure["remedy"]
    for letter in waiting(config):
        run(config, "letters", "discard", str(letter["id"]), "--reason", "known")
    assert run(config, "ask", "postgres://db:5432/shop.public.orders", "--json").exit_code == Code.OK


def test_what_a_full_read_no_longer_brings_waits_no_more(config: Path, tmp_path: Path):
    (tmp_path / "events.ndjson").write_text(json.dumps(EVENT) + "\n")
    assert run(config, "sync", "--full").exit_code == Code.OK
    assert waiting(config) == []
    assert "no more" in answer(run(config, "letters", "--state", "all", "--json"))["letters"][0]["note"]


def test_an_event_that_breaks_us_waits_for_an_update_and_is_then_replayed(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    poison = EVENT | {"run": {"runId": "0190a0e0-0000-7000-8000-0000000000ff"}, "producer": "https://poison"}
    (tmp_path / "events.ndjson").write_text(json.dumps(poison) + "\n" + json.dumps(EVENT) + "\n")
    real = events.project

    def breaking(entity: str, bodies: Any) -> Any:
        if any(b"poison" in body for body in bodies):
            raise ZeroDivisionError
        return real(entity, bodies)

    from watersmeet.api.opening import open_store, registry_of
    from watersmeet.api.syncs import pull_here
    from watersmeet.config.settings import load

    settings = load(config)
    with open_store(settings) as store, monkeypatch.context() as patched:
        patched.setattr(events, "project", breaking)
        for _ in range(2):
            row = pull_here(settings, store, store.journal.enqueue("events", True))
            assert (row.state.value, row.complete) == ("SUCCEEDED", True)
        [letter] = [one for one in store.letters.page() if one.reason == "internal"]
        assert json.loads(letter.body)["producer"] == "https://poison"
        assert registry_of(settings) is not None
        still = CliRunner().invoke(app, ["-c", str(config), "letters", "replay", str(letter.id)])
        assert still.exit_code == Code.INCOMPLETE
    assert "update, then" in next(one for one in waiting(config) if one["reason"] == "internal")["remedy"]
    [told] = answer(run(config, "letters", "replay", str(letter.id), "--json"))
    assert told["state"] == "REPLAYED"
    runs = answer(run(config, "search", "marts", "--kind", "run", "--json"))
    assert runs["total"] == 2
