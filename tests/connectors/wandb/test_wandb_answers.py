"""What the Weights & Biases connector makes of answers that are refusals, errors, or half of what was asked for."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from watersmeet.config.errors import Misconfigured
from watersmeet.config.settings import Source
from watersmeet.connectors.wandb.read import Wandb
from watersmeet.connectors.wandb.sandbox import KEY, Sandbox
from watersmeet.federation.errors import SourceChanged, SourceRefused, SourceUnavailable

from .miniature import ALWAYS, RUNS, To, answering, asked, checked, failures, named, read, source

NOTHING: dict[str, Any] = {"data": None, "errors": [{"message": "permission denied"}]}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A project with two runs; nothing that is asked of it may be wrong."""
    with Sandbox(empty=True) as running:
        for name in ("a", "b"):
            running.world.log_run("acme/fraud", name)
        yield running
        assert [one.complaints for one in running.calls if one.complaints] == []


class TestTheKey:
    """What lets us in, and what is said where it does not."""

    @pytest.mark.parametrize("token", ["short", "k" * 39])
    def test_one_that_is_too_short_is_told_before_anything_is_asked(self, sandbox: Sandbox, token: str) -> None:
        """The vendor's client looks at the length alone, and so do we."""
        with pytest.raises(Misconfigured, match="40 characters") as wrong:
            checked(sandbox, token=token)
        assert token not in str(wrong.value)
        assert not sandbox.calls

    def test_a_source_without_one_says_where_it_is_made(self, sandbox: Sandbox) -> None:
        with pytest.raises(Misconfigured, match="/authorize"):
            checked(sandbox, token=None)

    @pytest.mark.parametrize("token", ["local-" + "k" * 40, "aaaa.bbbb.cccc"])
    def test_those_of_own_servers_and_of_federated_identities_are_taken(self, token: str) -> None:
        with Sandbox(key=token) as running:
            assert checked(running, token=token).reachable

    def test_one_that_sees_nothing_says_so(self) -> None:
        with Sandbox(empty=True) as running:
            assert checked(running).missing_grants == ("access to a project",)
            assert "sees no project" in failures(read(running))


class TestWhatIsNotReadable:
    """It is named, and nothing else is lost by it."""

    def test_an_entity_that_is_not_there(self, sandbox: Sandbox) -> None:
        told = failures(read(sandbox, workspaces=["nowhere"]))
        assert "projects of nowhere: there is no such entity" in told

    def test_projects_that_may_not_be_listed(self, sandbox: Sandbox) -> None:
        answering(sandbox, "Projects", NOTHING)
        assert "permission denied" in failures(read(sandbox))

    def test_an_error_within_a_project_stops_that_project_alone(self, sandbox: Sandbox) -> None:
        sandbox.world.log_run("acme/open", "c")
        answering(sandbox, "ProjectPage", {"data": None, "errors": [{"message": "odd"}]}, times=1)
        told = read(sandbox)
        assert "acme/fraud: not readable" in failures(told)
        assert named(told, "run/") == ["acme/open/c"]

    def test_reports_that_cannot_be_read_do_not_hold_up_the_rest(self, sandbox: Sandbox) -> None:
        answering(sandbox, "Besides", NOTHING)
        told = read(sandbox)
        assert "reports, queues and automations" in failures(told)
        assert f"run:{sandbox.world.project('acme/fraud').id}" in told[-1].listed

    def test_a_project_whose_runs_are_counted_and_not_shown(self, sandbox: Sandbox) -> None:
        def bend(answer: Any) -> Any:
            answer["data"]["project"]["runCount"] += 3
            return answer

        sandbox.fail(RUNS, kind="bent", bend=bend, times=ALWAYS)
        told = read(sandbox)
        assert "2 of 5 runs are shown" in failures(told)
        assert asked(sandbox, "ProjectPage") == 3


class TestAnswersThatAreNone:
    """Each is called what it is."""

    def refused(self, sandbox: Sandbox, kind: type[Exception], match: str) -> Exception:
        with pytest.raises(kind, match=match) as raised:
            checked(sandbox)
        return raised.value

    @pytest.mark.parametrize("said", ["try again", "internal error", "query timed out"])
    def test_an_error_that_may_pass_is_no_change_of_the_platform(self, sandbox: Sandbox, said: str) -> None:
        answering(sandbox, "Viewer", {"data": None, "errors": [{"message": said}]})
        self.refused(sandbox, SourceUnavailable, said)

    def test_a_permission_error_without_data_is_a_refusal(self, sandbox: Sandbox) -> None:
        refusal = {"message": "no", "extensions": {"code": "PERMISSION_ERROR"}}
        answering(sandbox, "Viewer", {"data": None, "errors": [refusal]})
        self.refused(sandbox, SourceRefused, "no path told")

    def test_an_answer_without_data_is_told_with_a_cut_of_it(self, sandbox: Sandbox) -> None:
        answering(sandbox, "Viewer", {"detail": "moved"})
        error = self.refused(sandbox, SourceChanged, "without data")
        assert isinstance(error, SourceChanged)
        assert "moved" in error.sample

    def test_a_400_without_a_reason(self, sandbox: Sandbox) -> None:
        sandbox.fail("Viewer", times=ALWAYS, status=400, body="{}")
        self.refused(sandbox, SourceChanged, "400")

    def test_a_server_that_is_down(self, sandbox: Sandbox) -> None:
        sandbox.fail("Viewer", times=ALWAYS, status=503)
        self.refused(sandbox, SourceUnavailable, "503")

    def test_a_throttle_while_a_manifest_is_asked_for_ends_the_read(self, sandbox: Sandbox) -> None:
        run = sandbox.world.project("acme/fraud").all_runs[0]
        sandbox.world.log_artifact(run, "words", "dataset", {"a": {"digest": "d", "ref": "s3://lake/a"}})
        sandbox.fail("Manifest$", status=429, times=ALWAYS)
        with pytest.raises(SourceUnavailable, match="rate_limited"):
            read(sandbox)


def test_features_of_the_server_are_told_as_capabilities(sandbox: Sandbox) -> None:
    sandbox.world.features = {"ARTIFACT_TAGS": True, "SWEEPS_LOCAL_SCHEDULER": False}
    assert checked(sandbox).capabilities == {"ARTIFACT_TAGS": True, "SWEEPS_LOCAL_SCHEDULER": False}


def test_a_server_that_cannot_be_asked_for_edits_is_not(sandbox: Sandbox) -> None:
    answering(sandbox, "UpdatedFilter", {"errors": [{"message": "invalid filter key: updatedAt"}]}, status=400)
    since = read(sandbox)[-1].resume
    sandbox.calls.clear()
    assert read(sandbox, since)[-1].complete
    sent = [one.variables["filters"] for one in sandbox.calls if one.operation == RUNS]
    assert len(sent) == 1
    assert "heartbeatAt" in sent[0]
    assert "updatedAt" not in sent[0]


class TestPagesThatAreTooLarge:
    """Runs may carry megabytes."""

    def test_they_are_asked_for_in_smaller_ones(self) -> None:
        with Sandbox(empty=True) as running:
            for number in range(16):
                running.world.log_run("acme/fraud", f"run{number:02}", notes="x" * 3000)
            told = read(running, http={"page_bytes": 16_384}, options={"page_size": 16})
            sizes = [one.variables["first"] for one in running.calls if one.operation == RUNS]
        assert sizes[:3] == [16, 8, 4]
        assert set(sizes[2:]) <= {4, 2}
        assert len(named(told, "run/")) == 16
        assert told[-1].complete

    def test_a_single_run_that_is_too_large_ends_the_read_and_says_so(self, sandbox: Sandbox) -> None:
        sandbox.world.log_run("acme/fraud", "huge", notes="x" * 30_000)
        with pytest.raises(SourceUnavailable, match="page_bytes"):
            read(sandbox, http={"page_bytes": 16_384})


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://wandb.ai", "api.wandb.ai"),
        ("https://forge.coreweave.com", "api.forge.coreweave.com"),
        ("http://wandb.acme.io:8080", "wandb.acme.io"),
    ],
)
def test_the_api_is_asked_whichever_address_people_know(sandbox: Sandbox, url: str, host: str) -> None:
    way = To(sandbox)
    told: Source = source(sandbox, url=url, also=[], token=KEY)
    with closing(Wandb(told, transport=way)) as reader:
        assert reader.check().reachable
    assert way.hosts == {host}
