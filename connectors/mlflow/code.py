"""The code that a run executed, and the job that it was a run of, as its tags tell."""

from collections.abc import Mapping

from ...federation.model import AssetKind, Form, Record, Spelling
from .place import Place
from .wire import scrubbed, without_secrets


def code_of(tags: Mapping[str, str]) -> Record | None:
    """The revision of a repository; None where no commit was told."""
    commit = tags.get("mlflow.source.git.commit") or tags.get("mlflow.databricks.gitRepoCommit") or ""
    repository = tags.get("mlflow.source.git.repoURL") or tags.get("mlflow.databricks.gitRepoUrl") or ""
    if not commit:
        return None
    repository = _plain(repository)
    name = repository.rstrip("/").removesuffix(".git").rpartition("/")[2] or "code"
    return Record(
        f"git/{repository}@{commit}",
        AssetKind.CODE,
        f"{name}@{commit[:12]}",
        subtype="git",
        spellings=(Spelling(Form.GIT, (repository, commit)),) if repository else (),
        facets={"repository": repository, "commit": commit},
    )


def _plain(repository: str) -> str:
    """A repository's address; what stands before the @ of an https address is a credential, of an ssh one a user."""
    return without_secrets(repository) if repository.startswith("http") else scrubbed("", repository)


def job_of(tags: Mapping[str, str], place: Place) -> Record | None:
    """The job that a run is a run of. An orchestrator's name comes before that of a script."""
    return _databricks(tags, place) or _orchestrated(tags, place) or _script(tags, place)


def _databricks(tags: Mapping[str, str], place: Place) -> Record | None:
    job = tags.get("mlflow.databricks.jobID")
    if not job:
        return None
    workspace = tags.get("mlflow.databricks.workspaceID", "")
    native_id = place.job(f"databricks:{workspace}/{job}")
    return Record(native_id, AssetKind.JOB, f"job {job}", subtype="databricks", facets={"workspace": workspace})


def _orchestrated(tags: Mapping[str, str], place: Place) -> Record | None:
    for system, dag, task in (
        ("airflow", "airflow.dag_id", "airflow.task_id"),
        ("dagster", "dagster.job_name", "dagster.op_name"),
        ("prefect", "prefect.flow_name", "prefect.task_name"),
    ):
        name = ".".join(tags[tag] for tag in (dag, task) if tags.get(tag))
        if tags.get(dag):
            # The scheduler's namespace is not told, so the name is a hint and joins nothing by itself.
            hint = Spelling(Form.NAME, (name,), weak=True)
            return Record(place.job(f"{system}:{name}"), AssetKind.JOB, name, subtype=system, spellings=(hint,))
    return None


def _script(tags: Mapping[str, str], place: Place) -> Record | None:
    name, kind = tags.get("mlflow.source.name", ""), tags.get("mlflow.source.type", "")
    if not name:
        return None
    return Record(
        place.job(f"{kind}:{scrubbed('', name)}"), AssetKind.JOB, scrubbed("", name), subtype=kind.lower() or None
    )
