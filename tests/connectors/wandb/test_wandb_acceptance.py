"""What the Weights & Biases connector has to stand, from the wire to the store: throttles, keys, gaps, other ages."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from watersmeet.connectors.wandb import documents
from watersmeet.connectors.wandb.documents import optional, without
from watersmeet.connectors.wandb.sandbox import Sandbox
from watersmeet.connectors.wandb.sandbox_graph import schema
from watersmeet.connectors.wandb.sandbox_story import PROJECT
from watersmeet.connectors.wandb.sandbox_world import entry
from watersmeet.federation.errors import SourceRefused
from watersmeet.federation.model import EdgeKind

from ..contract.house import FAILED, PARTIAL, SUCCEEDED, Bench
from ..contract.wandb_house import KEY, SECRET_END, WandbHouse
from .miniature import ALWAYS, RUNS, asked, between, checked, edges, failures, named, read, records, skipped, stones

DAILY: dict[str, Any] = {"options": {"reconcile_hours": 0}}
"""Read everything each time."""
ONE_BY_ONE: dict[str, Any] = {"options": {"reconcile_hours": 0, "page_size": 1}}


@pytest.fixture
def house() -> Iterator[WandbHouse]:
    with WandbHouse.opened() as house:
        yield house


@pytest.fixture
def bench(house: WandbHouse, tmp_path: Path) -> Iterator[Bench]:
    """A store that has read the story once."""
    with Bench.open(house, f"sqlite:///{tmp_path}/store.db") as bench:
        assert bench.sync().state is SUCCEEDED
        yield bench


class TestThrottles:
    """Wandb, check 4: each wish to wait is heard, requests are bounded, and nothing is written twice."""

    @pytest.mark.parametrize(
        ("headers", "waits"),
        [
            ({"RateLimit-Reset": "2"}, 2.0),
            ({"Retry-After": "3"}, 3.0),
            ({"Retry-After": "3", "RateLimit-Reset": "9"}, 3.0),
        ],
    )
    def test_a_429_is_waited_for_as_it_says(self, headers: dict[str, str], waits: float) -> None:
        with Sandbox() as sandbox:
            calm = read(sandbox)
            requests = len(sandbox.calls)
            sandbox.fail(RUNS, status=429, headers=headers, times=2)
            waited: list[float] = []
            told = read(sandbox, waited=waited)
            assert [one for one in waited if one >= 1] == [waits] * 2
            assert len(sandbox.calls) == 2 * requests + 2
        keys = [scope.key for batch in told for scope in batch.scopes]
        assert sorted(keys) == sorted(scope.key for batch in calm for scope in batch.scopes)
        assert told[-1].complete

    def test_a_quota_that_is_used_up_is_given_its_rest_before_the_next_question(self) -> None:
        waited: list[float] = []
        with Sandbox() as sandbox:
            sandbox.quota |= {"RateLimit-Remaining": "0", "RateLimit-Reset": "7"}
            told = read(sandbox, waited=waited)
            requests = [(one.operation, str(one.variables)) for one in sandbox.calls]
        assert waited == [7.0] * (len(requests) - 1)
        assert len(set(requests)) == len(requests), "nothing is asked twice"
        assert told[-1].complete

    def test_one_that_does_not_end_ends_the_sync_and_says_why(self, bench: Bench, house: WandbHouse) -> None:
        before = bench.picture
        house.run("one more")
        house.sandbox.world.change(house.sandbox.world.project(PROJECT).all_runs[0], tags=["edited"])
        house.sandbox.fail(RUNS, status=429, headers={"RateLimit-Reset": "2"}, times=ALWAYS, skip=1)
        ended = bench.sync(**ONE_BY_ONE)
        assert ended.state is PARTIAL
        assert (ended.message or "").startswith("rate_limited")
        assert asked(house.sandbox, "ProjectPage") <= 10
        assert bench.picture.things.keys() == before.things.keys()
        house.mend()
        assert bench.sync().state is SUCCEEDED
        assert len(bench.picture.things) == len(before.things) + 1


class TestKeys:
    """Wandb, check 5: three ways of being no key, each with its own error, and nothing deleted for it."""

    def test_one_that_is_nobodys_one_that_is_revoked_and_one_that_is_cut_off(
        self, bench: Bench, house: WandbHouse, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before, sandbox = bench.picture, house.sandbox
        told = [bench.sync(key="x" * 40, **DAILY)]  # the hosted service: 200 and a viewer that is null

        def revoke() -> None:
            sandbox.key, sandbox.refuses_keys = "another", True

        between(sandbox, "ProjectPage", revoke)
        told.append(bench.sync(**ONE_BY_ONE))  # 401 in the middle
        told.append(bench.sync(key=KEY[:39]))
        assert [one.state for one in told[::2]] == [FAILED, FAILED]
        assert told[1].state in (PARTIAL, FAILED)
        assert [one.error for one in told] == ["SourceRefused", "SourceRefused", "Misconfigured"]
        said = " ".join(one.message or "" for one in told)
        assert ["the key is nobody's" in said, "401 on" in said, "40 characters" in said] == [True] * 3
        assert bench.picture == before
        shown = capsys.readouterr()
        assert SECRET_END not in said + shown.out + shown.err
        assert SECRET_END.encode() not in bench.file.read_bytes()
        assert asked(sandbox, "Besides") == 2, "nothing is asked with a key that is taken no more"

    @pytest.mark.parametrize("refuses", [False, True])
    def test_what_is_wrong_with_it_is_known_before_anything_is_read(self, house: WandbHouse, refuses: bool) -> None:
        house.sandbox.refuses_keys = refuses
        with pytest.raises(SourceRefused, match="renew it" if refuses else "/authorize") as refused:
            checked(house.sandbox, token="x" * 40)
        assert "x" * 40 not in str(refused.value)


class TestWhatIsHidden:
    """Wandb, check 9: a project that is shown no more stays as it was, and the others go on."""

    @pytest.mark.parametrize(("access", "lists"), [("hidden", False), ("hidden", True), ("denied", True)])
    def test_a_project_is_inaccessible_and_what_was_read_of_it_stays(
        self, bench: Bench, house: WandbHouse, access: str, lists: bool
    ) -> None:
        world = house.sandbox.world
        house.run("beside", "acme/open")
        assert bench.sync().state is SUCCEEDED
        before = bench.picture
        if lists:
            between(house.sandbox, "Projects", lambda: world.hide_project(PROJECT, access), skip=1)
        else:
            world.hide_project(PROJECT, access)
        new = house.run("new", "acme/open")
        ended = bench.sync(**DAILY)
        assert ended.state is PARTIAL
        after = bench.picture
        assert before.things.keys() <= after.things.keys()
        assert before.edges.keys() <= after.edges.keys(), "nothing of it has ended"
        assert new in after.things
        seen = bench.look(house.root)
        assert seen.status == "DEGRADED"
        assert "inaccessible" in " ".join(one.what for one in seen.completeness.failures)
        assert not seen.completeness.exact

    def test_half_an_answer_is_kept_and_each_path_that_failed_is_told(self, bench: Bench, house: WandbHouse) -> None:
        """The vendor's client discards the whole page."""
        new = house.run("new")
        before = bench.picture

        def bend(answer: Any) -> Any:
            runs = answer["data"]["project"]["runs"]["edges"]
            runs[0]["node"]["config"] = None
            wrong = {"message": "boom", "path": ["project", "runs", "edges", 0, "node", "config"]}
            return {**answer, "errors": [wrong]}

        house.sandbox.fail(RUNS, kind="bent", bend=bend)
        ended = bench.sync(**DAILY)
        assert ended.state is PARTIAL
        assert f"{PROJECT}: project.runs.edges.0.node.config: boom" in (ended.message or "")
        assert before.things.keys() | {new} <= bench.picture.things.keys()


class TestWhatIsGone:
    """Wandb, check 10: a version without content keeps its place, its edges and its users."""

    def test_a_version_that_is_deleted_or_out_of_time_is_a_tombstone_and_its_edges_survive(
        self, bench: Bench, house: WandbHouse
    ) -> None:
        world, before = house.sandbox.world, bench.picture
        deleted, expired = list(world.artifacts.values())[:2]
        world.delete_artifact(deleted)
        expired.ttl_duration_seconds = 60
        world.change_state(expired, "DELETED")
        assert bench.sync(**DAILY).state is SUCCEEDED
        after = bench.picture
        assert after.buried == {f"version/{one.id}" for one in (deleted, expired)}
        for one in (deleted, expired):
            tied = {edge[:3] for edge in before.edges if f"version/{one.id}" in edge[:2]}
            still = {edge[:3] for edge in after.edges if f"version/{one.id}" in edge[:2]}
            assert tied <= still

    def test_who_wrote_and_used_it_is_told_by_itself_where_runs_show_it_no_more(self) -> None:
        with Sandbox(empty=True) as sandbox:
            world = sandbox.world
            maker, user = (world.log_run("acme/fraud", name) for name in ("maker", "user"))
            version = world.log_artifact(maker, "words", "dataset", {"a": entry(b"a")})
            world.use(user, version, "training")
            world.delete_artifact(version)
            told = read(sandbox)
        assert stones(told) == [f"version/{version.id}"]
        assert [one.upstream for one in edges(told, EdgeKind.WRITE)] == [f"run/{maker.id}"]
        assert [one.downstream for one in edges(told, EdgeKind.READ)] == [f"run/{user.id}"]

    def test_an_address_that_is_over_by_the_time_it_is_asked_costs_one_manifest(self) -> None:
        with Sandbox() as sandbox:
            sandbox.storage.lasts = -1.0
            told = read(sandbox)
            assert {one.authorization for one in sandbox.storage.calls} == {None}
            assert len(sandbox.storage.calls) == 2 * len(sandbox.world.artifacts), "each is asked for anew, once"
        assert {one.lost for one in skipped(told)} == {True}
        assert all("403 on" in one.reason for one in skipped(told))
        assert len([one for one in records(told) if one.startswith("version/")]) == 4
        assert told[-1].complete


class TestOtherAges:
    """Wandb, check 13: a server that does not know a field is read without it, and the lack is said."""

    def test_an_old_server_is_read_without_what_it_does_not_know(self) -> None:
        lacking = ("Artifact.digestAlgorithm", "Run.runInfo", "Entity.organization", "Project.triggers")
        with Sandbox() as sandbox:
            whole = read(sandbox)
            sandbox.lack(*lacking, "ServerInfo.features")
            told = read(sandbox)
            complaints = [one for one in sandbox.calls if one.complaints]
            capabilities = checked(sandbox).capabilities
        assert told[-1].complete
        assert named(told, "run/", "version/") == named(whole, "run/", "version/")
        assert [one.what for one in skipped(told)] == [
            f"field {one}" for one in sorted((*lacking, "ServerInfo.features"))
        ]
        assert not any(one.lost for one in skipped(told))
        assert len(complaints) <= len(lacking) + 1
        assert {name: is_on for name, is_on in capabilities.items() if "." in name} == {
            "Entity.organization": False,
            "ServerInfo.features": False,
        }
        assert not [one for one in records(told) if one.startswith("job/") and "|prepare.py" in one]

    def test_a_server_that_lacks_what_has_to_be_there_is_another_platform(self) -> None:
        with Sandbox() as sandbox:
            sandbox.lack("Project.runs")
            told = read(sandbox)
            assert 'Cannot query field "runs" on type "Project"' in failures(told)
            assert not told[-1].complete

    def test_whatever_is_left_out_what_remains_is_a_question(self) -> None:
        """Wandb, check 15: no combination of what servers lack makes a document that is none."""
        for name, document in vars(documents).items():
            if not (isinstance(document, str) and document.startswith("\nquery")):
                continue
            known = sorted(optional(document))
            for some in [
                frozenset(known),
                *map(frozenset, combinations(known, 1)),
                *map(frozenset, combinations(known, 2)),
            ]:
                shown = schema(frozenset(f"{type_}.{field}" for type_, field in some if type_ != "ArtifactCollection"))
                assert validate(shown, parse(without(document, some))) == [], (name, some)


def test_no_secret_of_a_queue_an_automation_or_a_user_reaches_the_store(bench: Bench, house: WandbHouse) -> None:
    """Wandb, check 15: they are not asked for, so that no answer holds them."""
    house.plant(SECRET_END)
    assert bench.sync(**DAILY).state is SUCCEEDED
    things = bench.picture.things
    assert {name.partition("/")[0] for name in things} >= {"report", "queue", "automation", "run", "version"}
    bench.store.close()
    stored = b"".join(one.read_bytes() for one in bench.file.parent.iterdir() if one.is_file())
    for secret in (SECRET_END, "sandbox-run-spec-secret", "sandbox-webhook-secret"):
        assert secret.encode() not in stored
    words = ("runSpec", "requestPayload", "apiKeys", "template")
    asked_for = [text for text in vars(documents).values() if isinstance(text, str)]
    assert not [word for word in words for text in asked_for if word in text]
