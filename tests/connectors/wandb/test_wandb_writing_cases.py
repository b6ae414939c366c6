"""What becomes of single things: of others' runs and collections, of what comes twice, late, changed or refused."""

import base64
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from watersmeet.connectors.wandb.sandbox import KEY, Sandbox
from watersmeet.connectors.wandb.sandbox_artifacts import Artifact
from watersmeet.federation.dossier import Dossier, Verdict
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Form, Record, Role, Run, RunState, Spelling

from .targets import dossier, runs, verdict, versions, written

AT = datetime(2026, 1, 2, tzinfo=UTC)
RAW = Record("d/raw@1", AssetKind.DATASET_VERSION, "raw@abcdef1")
WHOLE = Record("d/raw", AssetKind.DATASET, "raw", spellings=(Spelling(Form.URI, ("s3://lake/raw",)),))
MODEL = Record("m/churn/1", AssetKind.MODEL_VERSION, "churn/1")
HOME = Record("m/churn", AssetKind.MODEL, "churn", description="who leaves", facets={"tags": [{"key": "pii free"}]})
LAB = Record("e/1", AssetKind.EXPERIMENT, "Churn lab", description="ours")


@pytest.fixture
def target() -> Iterator[Sandbox]:
    with Sandbox(empty=True) as running:
        yield running


def run(name: str, state: RunState = RunState.SUCCEEDED, **more: Any) -> Record:
    return Record(f"run/{name}", AssetKind.RUN, name, run=Run(state, AT, AT, error="no more room"), **more)


def told(record: Record, *edges: Edge, among: tuple[Record, ...] = ()) -> Dossier:
    """A dossier of a tracker that calls itself lab."""
    return dossier(record, *edges, among=(RAW, WHOLE, MODEL, HOME, LAB, *among))


def wrote(run: Record, version: Record, **more: Any) -> Edge:
    return Edge(run.native_id, version.native_id, EdgeKind.WRITE, **more)


def read(version: Record, run: Record, **more: Any) -> Edge:
    return Edge(version.native_id, run.native_id, EdgeKind.READ, **more)


def only(target: Sandbox, name: str) -> Artifact:
    (found,) = [one for one in target.world.artifacts.values() if one.artifact_sequence.name == name]
    return found


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (RunState.SUCCEEDED, "finished"),
        (RunState.FAILED, "failed"),
        (RunState.ABORTED, "killed"),
        (RunState.RUNNING, "running"),
        (RunState.QUEUED, "pending"),
    ],
)
def test_a_run_ends_as_it_was_told(target: Sandbox, state: RunState, word: str) -> None:
    outcomes = written(target, [told(run("r1", state))])
    (there,) = target.world.project("acme/watersmeet").all_runs
    assert (there.name, there.state) == ("r1", word)
    kept = json.loads(there.config_text)["_watersmeet"]["value"]["kept"]
    assert kept["run"] == {"started_at": AT.isoformat(), "ended_at": AT.isoformat(), "error": "no more room"}
    assert verdict(outcomes, "run", run("r1"))[0] is Verdict.TRANSFORMED


def test_parameters_are_numbers_again_where_they_come_back_as_the_same_text(target: Sandbox) -> None:
    values = {"lr": "0.1", "deep": '{"a": 1}', "id": "007", "big": "1e3", "word": "nan", "on": "true", "n": 3}
    written(target, [told(run("r1", facets={"parameters": values}))])
    (there,) = target.world.project("acme/watersmeet").all_runs
    config = {name: one["value"] for name, one in json.loads(there.config_text).items() if not name.startswith("_")}
    assert config == values | {"lr": 0.1, "deep": {"a": 1}, "on": True}


def test_a_run_of_somebody_else_is_left_alone(target: Sandbox) -> None:
    target.world.log_run("acme/watersmeet", "r1", config={"theirs": 1})
    written(target, [told(run("r1"))])
    theirs, ours = target.world.project("acme/watersmeet").all_runs
    assert json.loads(theirs.config_text)["theirs"] == {"value": 1, "desc": None}
    assert ours.name.startswith("ws-")
    written(target, [told(run("r1"))])
    assert len(runs(target)) == 2


def test_a_collection_of_somebody_else_is_left_alone(target: Sandbox) -> None:
    by = target.world.log_run("acme/watersmeet", "theirs")
    target.world.log_artifact(by, "raw", "dataset", {"a": {"digest": "x"}})
    outcomes = written(target, [told(RAW)])
    assert versions(target)["watersmeet/raw"] == 1
    (ours,) = [name for name in versions(target) if name != "watersmeet/raw"]
    assert ours.startswith("watersmeet/raw-")
    assert verdict(outcomes, "name", RAW)[0] is Verdict.TRANSFORMED


def test_an_experiment_is_a_project_and_its_runs_stand_there(target: Sandbox) -> None:
    one = run("r1")
    part = Edge(one.native_id, LAB.native_id, EdgeKind.PART_OF)
    outcomes = written(target, [told(LAB), told(one, part)])
    assert runs(target) == ["Churn-lab/r1"]
    assert target.world.project("acme/Churn-lab").description == "ours"
    assert verdict(outcomes, "name", LAB) == (Verdict.TRANSFORMED, "is called otherwise there")
    assert verdict(outcomes, part, one)[0] is Verdict.MIGRATED


def test_a_nested_run_says_of_what_it_was_a_part(target: Sandbox) -> None:
    one, parent = run("r1"), run("r0")
    part = Edge(one.native_id, parent.native_id, EdgeKind.PART_OF)
    outcomes = written(target, [told(one, part, among=(parent,))])
    assert verdict(outcomes, part, one)[0] is Verdict.TRANSFORMED
    (there,) = target.world.project("acme/watersmeet").all_runs
    assert json.loads(there.config_text)["_watersmeet"]["value"]["kept"]["part_of"] == ["run/r0"]


def test_what_two_runs_wrote_is_one_version_that_both_logged(target: Sandbox) -> None:
    one, two = run("r1"), run("r2")
    outcomes = written(target, [told(one, wrote(one, RAW)), told(two, wrote(two, RAW)), told(RAW)])
    assert versions(target) == {"watersmeet/raw": 1}
    assert [len(each.outputs) for each in target.world.project("acme/watersmeet").all_runs] == [1, 1]
    assert verdict(outcomes, wrote(two, RAW), two)[0] is Verdict.MIGRATED


def test_an_origin_that_two_runs_wrote_is_logged_by_both_before_something_newer_stands_there(target: Sandbox) -> None:
    one, two, newer = run("r1"), run("r2"), Record("d/raw@2", AssetKind.DATASET_VERSION, "raw@abcdef2")
    of = [Edge(each.native_id, WHOLE.native_id, EdgeKind.VERSION_OF) for each in (RAW, newer)]
    derived = Edge(RAW.native_id, MODEL.native_id, EdgeKind.DERIVE)
    things = [
        told(one, wrote(one, RAW)),
        told(two, wrote(two, RAW)),
        told(MODEL, derived),
        told(newer, of[1]),
        told(RAW, of[0]),
    ]
    outcomes = written(target, things, at_once=1)
    assert versions(target)["watersmeet/raw"] == 2
    assert [verdict(outcomes, wrote(each, RAW), each)[0] for each in (one, two)] == [Verdict.MIGRATED] * 2


def test_what_was_overtaken_is_not_logged_once_more(target: Sandbox) -> None:
    one, two, newer = run("r1"), run("r2"), Record("d/raw@2", AssetKind.DATASET_VERSION, "raw@abcdef2")
    of = [Edge(each.native_id, WHOLE.native_id, EdgeKind.VERSION_OF) for each in (RAW, newer)]
    written(target, [told(one, wrote(one, RAW)), told(RAW, of[0]), told(newer, of[1])])
    outcomes = written(target, [told(two, wrote(two, RAW)), told(RAW, of[0])])
    assert versions(target) == {"watersmeet/raw": 2}
    assert verdict(outcomes, wrote(two, RAW), two)[0] is Verdict.UNSUPPORTED


def test_what_a_run_of_another_project_wrote_is_not_logged_by_it(target: Sandbox) -> None:
    one, two = run("r1"), run("r2")
    part = Edge(two.native_id, LAB.native_id, EdgeKind.PART_OF)
    outcomes = written(target, [told(one, wrote(one, RAW)), told(two, wrote(two, RAW), part), told(RAW)])
    assert "stands in another project" in verdict(outcomes, wrote(two, RAW), two)[1]


def test_a_plan_is_no_output(target: Sandbox) -> None:
    one = run("r1", RunState.FAILED)
    outcomes = written(target, [told(one, wrote(one, RAW, planned=True))])
    assert verdict(outcomes, wrote(one, RAW, planned=True), one)[0] is Verdict.UNSUPPORTED
    assert versions(target) == {}


def test_a_dataset_that_is_read_without_a_version_gets_one_that_stands_for_it(target: Sandbox) -> None:
    one, edge = run("r1"), read(WHOLE, run("r1"), role=Role.TRAINING)
    outcomes = written(target, [told(one, edge), told(WHOLE)])
    assert verdict(outcomes, edge, one)[0] is Verdict.TRANSFORMED
    version = only(target, "raw")
    assert [one["ref"] for one in version.entries.values() if "ref" in one] == ["s3://lake/raw"]
    assert [used for _, used in target.world.project("acme/watersmeet").all_runs[0].inputs] == [["training"]]


def test_a_collection_bears_description_and_tags(target: Sandbox) -> None:
    of = Edge(MODEL.native_id, HOME.native_id, EdgeKind.VERSION_OF)
    outcomes = written(target, [told(HOME), told(MODEL, of)])
    (there,) = target.world.project("acme/watersmeet").collections
    assert (there.name, there.description, there.words) == ("churn", "who leaves", ["pii free"])
    assert verdict(outcomes, "description", HOME)[0] is Verdict.MIGRATED
    assert verdict(outcomes, of, MODEL)[0] is Verdict.MIGRATED


def test_what_changed_is_brought_up_to_date_and_is_no_new_version(target: Sandbox) -> None:
    written(target, [told(RAW)])
    changed = Record(
        RAW.native_id, RAW.kind, RAW.name, description="by now", facets={"tags": [{"key": "a", "value": "b"}]}
    )
    outcomes = written(target, [told(changed)])
    version = only(target, "raw")
    assert (version.description, version.words) == ("by now", ["a b"])
    assert verdict(outcomes, "facets/tags", RAW)[0] is Verdict.TRANSFORMED


def test_what_a_version_came_from_is_told_also_when_it_stood_there_before(target: Sandbox) -> None:
    edge = Edge(RAW.native_id, MODEL.native_id, EdgeKind.DERIVE)
    written(target, [told(MODEL)])
    outcomes = written(target, [told(RAW), told(MODEL, edge)])
    assert verdict(outcomes, edge, MODEL)[0] is Verdict.TRANSFORMED
    assert json.loads(only(target, "churn").metadata)["_watersmeet"]["upstream"] == [RAW.native_id]
    assert versions(target)["watersmeet/churn"] == 1


def test_things_that_were_made_of_one_another_do_not_go_round_in_circles(target: Sandbox) -> None:
    there, back = (
        Edge(RAW.native_id, MODEL.native_id, EdgeKind.DERIVE),
        Edge(MODEL.native_id, RAW.native_id, EdgeKind.DERIVE),
    )
    outcomes = written(target, [told(MODEL, there), told(RAW, back)])
    assert {verdict(outcomes, there, MODEL)[0], verdict(outcomes, back, RAW)[0]} == {
        Verdict.MIGRATED,
        Verdict.TRANSFORMED,
    }
    assert sorted(versions(target).values()) == [1, 1]


def test_one_change_that_is_refused_keeps_no_other_back(target: Sandbox) -> None:
    of = Edge(MODEL.native_id, HOME.native_id, EdgeKind.VERSION_OF)
    names = [Edge(MODEL.native_id, HOME.native_id, EdgeKind.ALIAS_OF, alias=one) for one in ("bad", "good one")]
    refusal = {"data": {"addAliases": None}, "errors": [{"message": "alias is reserved", "path": ["addAliases"]}]}
    target.fail("WatersmeetAddAliases", kind="bent", times=1, bend=lambda _: refusal)
    outcomes = written(target, [told(MODEL, of, *names)])
    assert verdict(outcomes, names[0], MODEL) == (
        Verdict.FAILED,
        "Weights & Biases refused it: addAliases: alias is reserved",
    )
    assert verdict(outcomes, names[1], MODEL) == (Verdict.TRANSFORMED, "is written otherwise there")


@pytest.mark.parametrize(("operation", "times"), [("UpsertRun", 1), ("CreateArtifact", 9), ("UseArtifact", 1)])
def test_what_is_refused_is_told_fact_by_fact_and_the_rest_goes_on(target: Sandbox, operation: str, times: int) -> None:
    one, two = run("r1"), run("r2")
    refusal = {"data": {"it": None}, "errors": [{"message": "no", "path": ["it"]}]}
    target.fail(f"Watersmeet{operation}", kind="bent", times=times, bend=lambda _: refusal)
    outcomes = written(target, [told(one, read(RAW, one)), told(two, wrote(two, RAW)), told(RAW)])
    failed = [one for one in outcomes if one.verdict is Verdict.FAILED]
    assert failed != []
    assert {each.reason for each in failed} <= {
        "Weights & Biases refused it: it: no",
        "Weights & Biases refused the run itself",
    }
    assert verdict(outcomes, read(RAW, one), one)[0] is Verdict.FAILED
    assert verdict(outcomes, "name", two)[0] is Verdict.MIGRATED


def test_a_job_with_inputs_is_a_run_that_stands_for_it_and_one_without_is_none(target: Sandbox) -> None:
    job, bare = Record("j/1", AssetKind.JOB, "nightly"), Record("j/2", AssetKind.JOB, "weekly")
    outcomes = written(target, [told(job, read(WHOLE, job)), told(bare)])
    (there, importer) = target.world.project("acme/watersmeet").all_runs
    assert (there.display_name, there.state, len(there.inputs)) == ("nightly", "finished", 1)
    assert importer.job_type == "import"
    assert verdict(outcomes, "name", job)[0] is Verdict.TRANSFORMED
    assert verdict(outcomes, "name", bare)[0] is Verdict.UNSUPPORTED


def test_a_run_has_one_commit(target: Sandbox) -> None:
    one = run("r1")
    facets = {"repository": "https://git.acme.io/x", "commit": "abc"}
    codes = [
        Record(f"g/{commit}", AssetKind.CODE, "x", facets=facets | {"commit": commit}) for commit in ("abc", "def")
    ]
    bare = Record("g/0", AssetKind.CODE, "y")
    edges = [read(each, one, role=Role.CODE) for each in (*codes, bare)]
    outcomes = written(target, [told(one, *edges, among=(*codes, bare))])
    (there,) = target.world.project("acme/watersmeet").all_runs
    assert (there.commit, there.github) == ("abc", "https://git.acme.io/x")
    verdicts = [verdict(outcomes, each, one)[0] for each in edges]
    assert verdicts == [Verdict.MIGRATED, Verdict.UNSUPPORTED, Verdict.UNSUPPORTED]


def test_without_an_organization_nothing_is_linked(target: Sandbox) -> None:
    target.world.organization.org_entity = None
    own = {"wandb": {"type": "model", "project": "acme-org/wandb-registry-model"}}
    registered = Record("collection/1", AssetKind.MODEL, "churn", subtype="registered", facets=own)
    link = Edge(MODEL.native_id, registered.native_id, EdgeKind.VERSION_OF)
    outcomes = written(target, [told(MODEL, link, among=(registered,)), told(registered)])
    assert "has no organization" in verdict(outcomes, link, MODEL)[1]
    assert verdict(outcomes, "name", registered)[0] is Verdict.UNSUPPORTED


def test_the_key_is_in_no_log_and_no_error(
    target: Sandbox, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    target.fail("WatersmeetUpsertRun", status=503)
    target.fail("WatersmeetCreateArtifact$", status=403, body=f"no such key: {KEY}", times=10)
    outcomes = written(target, [told(run("r1")), told(MODEL)])
    said = capsys.readouterr()
    text = "".join((caplog.text, said.out, said.err, repr(outcomes)))
    assert "asked again" in text
    assert "403 on" in text
    assert KEY not in text
    assert base64.b64encode(f"api:{KEY}".encode()).decode() not in text
