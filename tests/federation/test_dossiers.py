"""What a writer is handed: each fact once, and none without a verdict."""

from watersmeet.federation.dossier import Dossier, Outcome, Verdict, belongs_to, edge_fact, facts, unaccounted
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Record, Role, Run, RunState

RUN = Record("run:1", AssetKind.RUN, "train", run=Run(RunState.SUCCEEDED), facets={"metrics": {"auc": 0.9}})
READ = Edge("table:a", "run:1", EdgeKind.READ, role=Role.TRAINING)
WRITE = Edge("run:1", "model:1", EdgeKind.WRITE)


def dossier(*edges: Edge) -> Dossier:
    return Dossier(RUN, "s1", "mlflow", edges=edges)


def test_a_process_tells_what_it_read_and_what_it_wrote() -> None:
    assert [belongs_to(edge) for edge in (READ, WRITE)] == ["run:1", "run:1"]


def test_a_part_tells_of_its_whole_and_what_was_made_of_its_origin() -> None:
    assert belongs_to(Edge("column:x", "table:a", EdgeKind.PART_OF)) == "column:x"
    assert belongs_to(Edge("table:a", "table:b", EdgeKind.DERIVE)) == "table:b"
    assert belongs_to(Edge("model:1", "endpoint:1", EdgeKind.DEPLOY)) == "endpoint:1"


def test_an_edge_told_twice_is_one_fact_and_two_roles_are_two() -> None:
    other = Edge("table:a", "run:1", EdgeKind.READ, role=Role.EVALUATION)
    named = [fact for _, fact in facts(dossier(READ, READ, other)) if fact.startswith("edges/")]
    assert named == [edge_fact(READ), edge_fact(other)]


def test_what_no_outcome_speaks_of_is_named() -> None:
    whole = dossier(READ, WRITE)
    outcomes = [Outcome(native_id, fact, Verdict.MIGRATED) for native_id, fact in facts(whole)]
    assert list(unaccounted([whole], outcomes)) == []
    assert list(unaccounted([whole], [one for one in outcomes if one.fact != "facets/metrics"])) == [
        ("run:1", "facets/metrics")
    ]
    assert {fact for _, fact in facts(whole)} == {"name", "run", "facets/metrics", edge_fact(READ), edge_fact(WRITE)}
