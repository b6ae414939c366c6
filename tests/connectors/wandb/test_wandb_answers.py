"""What the Weights & Biases connector makes of answers that are refusals, errors, or half of what was asked for."""

from typing import Any

import httpx2
import pytest

from watersmeet.config.errors import Misconfigured
from watersmeet.federation.connector import Batch
from watersmeet.federation.errors import SourceChanged, SourceRefused, SourceUnavailable

from .telling import KEY, Platform, page, projects, run

OLD = 'Cannot query field "{}" on type "{}".'


def ids(batches: list[Batch]) -> list[str]:
    scopes = [scope for batch in batches for scope in batch.scopes]
    return [one.native_id for scope in scopes for one in scope.records if one.native_id.startswith("run/")]


def failures(batches: list[Batch]) -> str:
    return "\n".join(one for batch in batches for one in batch.failures)


def test_a_key_that_is_nobodys_is_refused_with_the_remedy():
    """Wandb, check 5: the hosted service answers 200 and a viewer that is null."""
    with pytest.raises(SourceRefused, match="/authorize") as refused:
        Platform(Viewer={"viewer": None}).connector().check()
    assert refused.value.grants == ("a valid API key",)
    assert KEY not in str(refused.value)


def test_a_key_that_is_revoked_while_it_is_read_deletes_nothing():
    """Wandb, check 5: 401 in the middle."""
    platform = Platform(ProjectPage=lambda _: httpx2.Response(401, json={"errors": [{"message": f"who is {KEY}"}]}))
    told = list(platform.connector().read(None))
    assert "acme/fraud: inaccessible" in failures(told)
    assert KEY not in failures(told)
    assert told[-1].listed == ("project",)
    assert not told[-1].complete


@pytest.mark.parametrize("token", ["short", "k" * 39])
def test_a_key_that_is_too_short_is_told_before_anything_is_asked(token: str):
    """Wandb, check 5: the vendor's client looks at the length alone, and so do we."""
    platform = Platform()
    with pytest.raises(Misconfigured, match="40 characters") as wrong:
        platform.connector(token=token).check()
    assert token not in str(wrong.value)
    assert not platform.asked


def test_a_source_without_a_key_says_where_one_is_made():
    with pytest.raises(Misconfigured, match="/authorize"):
        Platform().connector(token=None).check()


@pytest.mark.parametrize("token", ["local-" + "k" * 40, "aaaa.bbbb.cccc"])
def test_keys_of_own_servers_and_of_federated_identities_are_taken(token: str):
    assert Platform().connector(token=token).check().reachable


def test_the_key_goes_along_as_the_password_of_api():
    platform = Platform()
    platform.connector().check()
    assert {one["authorization"][:6] for one in platform.headers} == {"Basic "}


def test_an_old_server_is_read_without_what_it_does_not_know():
    """Wandb, check 13: fields that it does not know are left out, and said."""

    def old(variables: dict[str, Any]) -> httpx2.Response | dict[str, Any]:
        for name, type_ in (("digestAlgorithm", "Artifact"), ("runInfo", "Run")):
            if name in variables["query"]:
                return httpx2.Response(400, json={"errors": [{"message": OLD.format(name, type_)}]})
        return page([run("a")])

    platform = Platform(ProjectPage=old)
    connector = platform.connector()
    told = list(connector.read(None))
    assert ids(told) == ["run/Ra"]
    assert [one.what for batch in told for one in batch.skipped] == [
        "field Artifact.digestAlgorithm",
        "field Run.runInfo",
    ]
    assert not any(one.lost for batch in told for one in batch.skipped)
    assert told[-1].complete
    assert connector.check().capabilities == {"Artifact.digestAlgorithm": False, "Run.runInfo": False}
    assert platform.times("ProjectPage") == 3


def test_a_server_without_something_that_has_to_be_there_is_another_platform():
    refusal = {"errors": [{"message": OLD.format("viewer", "Query")}], "data": None}
    with pytest.raises(SourceChanged, match="viewer"):
        Platform(Viewer=refusal).connector().check()


def test_features_of_the_server_are_told_as_capabilities():
    viewer = {"id": "U", "username": "ana", "entity": "acme"}
    features = [{"name": "ARTIFACT_TAGS", "isEnabled": True}, {"name": "SWEEPS_LOCAL_SCHEDULER", "isEnabled": False}]
    health = Platform(Viewer={"viewer": viewer, "serverInfo": {"features": features}}).connector().check()
    assert health.capabilities == {"ARTIFACT_TAGS": True, "SWEEPS_LOCAL_SCHEDULER": False}


def test_half_an_answer_is_kept_and_each_path_that_failed_is_told():
    """Wandb, check 9: the vendor's client discards the whole page."""
    half = {
        "data": page([run("a"), run("b", config=None)], count=2),
        "errors": [{"message": "boom", "path": ["project", "runs", "edges", 1, "node", "config"]}],
    }
    platform = Platform(ProjectPage=half)
    told = list(platform.connector().read(None))
    assert ids(told) == ["run/Ra", "run/Rb"]
    assert "acme/fraud: project.runs.edges.1.node.config: boom" in failures(told)
    assert not any(family.startswith("run:") for family in told[-1].listed)


def test_a_project_that_answers_null_is_inaccessible_and_the_others_go_on():
    """Wandb, check 9."""

    def answer(variables: dict[str, Any]) -> dict[str, Any]:
        return {"project": None} if variables["project"] == "secret" else page([run(variables["project"])])

    told = list(Platform(Projects=projects("secret", "open"), ProjectPage=answer).connector().read(None))
    assert ids(told) == ["run/Ropen"]
    assert "acme/secret: inaccessible" in failures(told)
    assert [one for batch in told for one in batch.missing_grants] == ["access to acme/secret"]
    assert "run:Popen" in told[-1].listed
    assert "run:Psecret" not in told[-1].listed


def test_a_project_that_is_shown_no_more_is_asked_for_and_kept():
    """Wandb, check 9: it is denied or missing, and nobody says which."""
    first = list(Platform(Projects=projects("fraud")).connector().read(None))
    gone = Platform(Projects=projects(), ProjectPage={"project": None})
    told = list(gone.connector().read(first[-1].resume))
    assert "acme/fraud: inaccessible" in failures(told)
    assert list(gone.connector().gone(["project/Pfraud"])) == []


def test_a_throttle_that_does_not_end_is_named():
    """Wandb, check 4: waits are bounded, and the reason is said."""
    platform = Platform(ProjectPage=lambda _: httpx2.Response(429, headers={"RateLimit-Reset": "2"}))
    with pytest.raises(SourceUnavailable, match="rate_limited"):
        list(platform.connector().read(None))
    assert platform.waited == [2.0] * 5
    assert platform.times("ProjectPage") == 6


def test_an_error_that_may_pass_is_no_change_of_the_platform():
    with pytest.raises(SourceUnavailable, match="try again"):
        Platform(Viewer={"errors": [{"message": "try again"}], "data": None}).connector().check()


def test_a_permission_error_without_data_is_a_refusal():
    refusal = {"errors": [{"message": "no", "extensions": {"code": "PERMISSION_ERROR"}}], "data": None}
    with pytest.raises(SourceRefused):
        Platform(Viewer=refusal).connector().check()


def test_a_key_that_sees_nothing_says_so():
    platform = Platform(Projects=projects())
    assert platform.connector().check().missing_grants == ("access to a project",)
    told = list(platform.connector().read(None))
    assert "sees no project" in failures(told)


def test_an_entity_that_cannot_be_listed_is_told():
    nothing = {"entity": None, "models": {"edges": [], "pageInfo": {"hasNextPage": False}}}
    told = list(Platform(Projects=nothing).connector(workspaces=["acme"]).read(None))
    assert "projects of acme: there is no such entity" in failures(told)
    refused = {"errors": [{"message": "permission denied"}], "data": None}
    assert "permission denied" in failures(list(Platform(Projects=refused).connector().read(None)))


def test_a_server_that_lacks_one_field_after_another_is_given_up():
    def strange(variables: dict[str, Any]) -> dict[str, Any]:
        return {"data": None, "errors": [{"message": "internal error"}]}

    with pytest.raises(SourceUnavailable, match="internal"):
        Platform(Viewer=strange).connector().check()


def test_an_answer_that_is_no_answer_is_told_with_a_cut_of_it():
    with pytest.raises(SourceChanged, match="without data") as changed:
        Platform(Viewer=httpx2.Response(200, json={"detail": "moved"})).connector().check()
    assert "moved" in changed.value.sample


def test_a_400_without_a_reason_is_told():
    with pytest.raises(SourceChanged, match="400"):
        Platform(Viewer=httpx2.Response(400, json={})).connector().check()
    with pytest.raises(SourceUnavailable, match="503"):
        Platform(Viewer=lambda _: httpx2.Response(503)).connector().check()


def test_an_error_within_a_project_stops_that_project_alone():
    broken = httpx2.Response(200, json={"data": None, "errors": [{"message": "odd"}]})
    told = list(Platform(ProjectPage=broken).connector().read(None))
    assert "acme/fraud: not readable" in failures(told)


@pytest.mark.parametrize("url", ["https://wandb.ai", "https://forge.coreweave.com", "http://wandb.acme.io:8080"])
def test_the_api_is_asked_whichever_address_people_know(url: str):
    assert Platform().connector(url=url).check().reachable
