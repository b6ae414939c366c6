"""One workspace, read noun by noun: what each listing says, and what could not be listed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import yaml

from ...federation.clock import Clock
from ...federation.connector import Batch
from ...federation.errors import SourceChanged, SourceRefused
from ...federation.model import Json, Scope, Skipped
from ..http.paging import Rows
from . import evaluations, gateway, models, prompts, runs
from .api import V2, V3, Api, Missing
from .capabilities import Capabilities
from .cursor import Mark, Marks, Sweep, millis
from .paging import Ask, Pages, getting, listed, posting
from .place import Place
from .registry import nothing_registered
from .sweep import CHUNK, FIRST, Runs, Searches, Seen, chunks, experiments
from .traces import traces
from .wire import field, loads, number, objects, pairs, rows, text

MODELS_PAGE, MODELS_PAGE_HOSTED = 100, 50
"""Logged models carry all their metrics. The open server takes 5,000 a page; Databricks, which tells no version, 50."""


class Workspace:
    """Reads one workspace once. `listed` grows by each family that was listed from first to last, `visible` tells how
    many experiments the server showed at all."""

    def __init__(
        self,
        api: Api,
        place: Place,
        marks: Marks,
        capabilities: Capabilities,
        selects: Callable[[str], bool],
        clock: Clock,
        done: int = 0,
    ) -> None:
        self._api = api
        self._place = place
        self._marks = marks
        self._can = capabilities
        self._selects = selects
        self._clock = clock
        self._pages = Pages(place.options.page_size)
        self._experiments: list[str] = []
        self._shared: set[int] = set()  # scopes of datasets, jobs and code that this read has already told
        self.listed: set[str] = set()
        self.visible = 0
        self.done = done

    def read(self) -> Iterator[Batch]:
        """Everything that is new here. What is refused is named, and the rest goes on."""
        yield from self._experiments_and_runs()
        for what, part in self._parts():
            try:
                yield from part()
            except SourceRefused as error:
                refused = f"{self._place.workspace}: {what} not readable: {error}"
                yield Batch(failures=(refused,), missing_grants=error.grants or (f"READ on {what}",))
            except Missing as error:
                what = f"{self._place.workspace}: {what}"
                yield Batch(skipped=(Skipped(what, f"this server has no such listing: {error}", lost=False),))
            except SourceChanged as error:
                yield Batch(failures=(f"{self._place.workspace}: {what} not readable: {error}",))

    def _parts(self) -> Iterator[tuple[str, Callable[[], Iterator[Batch]]]]:
        if self._can.logged_models:
            yield "logged models", self._logged_models
        yield "registered models", self._registry
        yield "prompts", self._prompts
        if self._can.evaluation_datasets:
            yield "evaluation datasets", self._evaluation_datasets
        if self._can.gateway:
            yield "gateway endpoints", self._gateway
        if self._place.options.traces:
            yield "traces", self._traces

    def _batch(self, scopes: Iterable[Scope], skipped: Sequence[Skipped] = (), **more: Any) -> Batch:
        told = tuple(scopes)
        strange = [replace(one, what=f"{self._place.workspace}: {one.what}") for one in self._pages.strange]
        self._pages.strange.clear()
        return Batch(scopes=told, skipped=(*skipped, *strange), resume=self._marks.json(), done=self.done, **more)

    # Experiments and runs

    def _experiments_and_runs(self) -> Iterator[Batch]:
        for page in experiments(self._api, self._pages):
            self.visible += len(page)
            wanted = [one for one in page if self._selects(text(one, "name"))]
            told = [runs.experiment(one, self._place) for one in wanted]
            self._experiments += [text(one, "experiment_id") for one in wanted]
            yield self._batch(
                (scope for one in told for scope in one.scopes),
                tombstones=tuple(stone for one in told for stone in one.tombstones),
            )
        self.listed.add("experiment")
        searches = Searches(self._api, self._pages, self._experiments, self._place.options)
        mark = self._marks.of_workspace(self._place.workspace)
        now = self._clock()
        if mark.sweep is not None or mark.is_first or mark.due("reconciled", self._place.options.reconcile_every, now):
            yield from self._all_runs(searches, mark, now)
        else:
            yield from self._new_runs(searches, mark, now)

    def _all_runs(self, searches: Searches, mark: Mark, now: datetime) -> Iterator[Batch]:
        """From first to last, or on from where a killed sync stood; only an unbroken sweep proves what is gone."""
        unbroken = mark.sweep is None
        seen = Seen(mark.start, mark.end, _latest(now), dict.fromkeys(mark.open))
        last: Sweep | None = None
        for page in searches.all(mark):
            last = page.sweep
            for run in page.runs:
                seen.note(run)
            self._move(sweep=page.sweep, open=seen.remembered())
            yield self._runs(searches, page)
        end = max(mark.end, min(last.newest_end, seen.latest) if last else 0)
        reconciled = millis(now) if unbroken else mark.reconciled
        self._move(
            sweep=None, start=seen.start, end=end, open=seen.remembered(), rechecked=millis(now), reconciled=reconciled
        )
        if unbroken:
            self.listed.add("run")

    def _new_runs(self, searches: Searches, mark: Mark, now: datetime) -> Iterator[Batch]:
        seen = Seen(mark.start, mark.end, _latest(now))
        recheck = mark.due("rechecked", self._place.options.recheck_every, now)
        for page in searches.news(mark, seen):
            yield self._runs(searches, Runs(page))
        if recheck:
            for page in searches.recent(mark, seen):
                yield self._runs(searches, Runs(page))
        rechecked = millis(now) if recheck else mark.rechecked
        self._move(start=seen.start, end=seen.end, open=seen.remembered(), rechecked=rechecked)

    def _move(self, **changes: Any) -> None:
        self._marks.move(self._place.workspace, **changes)

    def _runs(self, searches: Searches, page: Runs) -> Batch:
        told = [runs.run(self._with_models(searches, one), self._place) for one in page.runs]
        self.done += len(told)
        return self._batch(
            self._once(scope for one in told for scope in one.scopes),
            tombstones=tuple(stone for one in told for stone in one.tombstones),
            skipped=tuple({skipped.what: skipped for one in told for skipped in one.skipped}.values()),
        )

    def _once(self, scopes: Iterable[Scope]) -> Iterator[Scope]:
        """Thousands of runs share their datasets, code and job: each is told once a read."""
        for scope in scopes:
            if scope.family != "run":
                mark = hash(scope.key)
                if mark in self._shared:
                    continue
                self._shared.add(mark)
            yield scope

    def _with_models(self, searches: Searches, run: Json) -> Json:
        """A search leaves out the models that a run read; asking for each run costs 9 ms, so evaluations alone are."""
        wanted = self._place.options.model_inputs
        if wanted == "never" or (wanted == "auto" and not _is_evaluation(run)) or not self._can.logged_models:
            return run
        return searches.get(runs.run_id(run)) or run

    # Models

    def _logged_models(self) -> Iterator[Batch]:
        mark = self._marks.of_workspace(self._place.workspace)
        everything = "run" in self.listed or not mark.models
        newest = mark.models
        for chunk in chunks(self._experiments, CHUNK):
            for page in self._pages_of_models(chunk, FIRST if everything else mark.models):
                newest = max([newest, *(_updated(one) for one in page)])
                yield self._models(page, mark.models)
        self._move(models=newest)
        if everything:
            self.listed.add("logged-model")

    def _pages_of_models(self, chunk: Sequence[str], since: int) -> Iterator[list[Json]]:
        """By their last update; a tag, a metric or a registration moves none, so now and then all are read."""
        pages = Pages(
            min(self._pages.size, MODELS_PAGE if self._can.version else MODELS_PAGE_HOSTED), self._pages.strange
        )

        def after(value: int) -> Ask:
            order: list[Json] = [{"field_name": "last_updated_timestamp", "ascending": True}]
            body: dict[str, Json] = {"experiment_ids": list(chunk), "order_by": order}
            if value > 0:
                body["filter"] = f"last_updated_timestamp >= {value}"
            return posting(self._api.post, f"{V2}/logged-models/search", body)

        for page in pages.ascending(after, "models", since, _updated, _model_id):
            yield list(page)

    def _models(self, page: Sequence[Json], read_before: int) -> Batch:
        wanted = dict.fromkeys(run for one in page for run in _runs_of(one))
        known = self._known_runs(list(wanted), page)
        scopes = [models.logged_model(one, self._place, known) for one in page]
        skipped: list[Skipped] = []
        if self._place.options.signatures:
            new = (one for one in page if _updated(one) > read_before)
            scopes += [scope for one in new if (scope := self._signature(one, known, skipped)) is not None]
        self.done += len(page)
        return self._batch(scopes, skipped=tuple(skipped))

    def _known_runs(self, ids: Sequence[str], page: Sequence[Json]) -> dict[str, Json]:
        """The runs that these models name: mostly of the models' own experiments, so one search finds them."""
        homes = dict.fromkeys(text(field(one, "info"), "experiment_id") for one in page)
        searches = Searches(self._api, self._pages, list(homes), self._place.options)
        known = {runs.run_id(run): run for some in searches.by_id(ids) for run in some}
        for one in ids:
            if one not in known:
                known[one] = searches.get(one)
        return {one: run for one, run in known.items() if run is not None}

    def _signature(self, model: Json, known: dict[str, Json], skipped: list[Skipped]) -> Scope | None:
        info = field(model, "info")
        run = known.get(text(info, "source_run_id"))
        # An input without columns can match nothing, so its model's file need not be fetched.
        if (
            run is None
            or not text(info, "status").endswith("READY")
            or "mlflow_colspec" not in str(field(run, "inputs"))
        ):
            return None
        path = f"/ajax-api/2.0/mlflow/logged-models/{text(info, 'model_id')}/artifacts/files"
        try:
            written = yaml.safe_load(self._api.text(path, {"artifact_file_path": "MLmodel"}))
        except Missing:
            return None  # logged by name only, without files
        except (SourceRefused, yaml.YAMLError) as error:
            what = f"signature of {self._place.logged_model(text(info, 'model_id'))}"
            skipped.append(Skipped(what, f"its MLmodel file could not be read: {error}", lost=False))
            return None
        inputs = objects(loads(field(field(written, "signature"), "inputs")))
        return models.signature(model, [text(one, "name") for one in inputs], self._place, run)

    # The registry

    def _registry(self) -> Iterator[Batch]:
        """All of it each time: tags and aliases move no timestamp, and a thousand models fit one answer."""
        stages: dict[str, list[tuple[str, str]]] = {}
        shown = ""
        ask = getting(self._api.get, f"{V2}/model-versions/search", {}, 10_000)
        for page in self._pages.listing(ask, "model_versions"):
            wanted = [one for one in page if not prompts.is_prompt(one) and self._selects(text(one, "name"))]
            for one in wanted:
                if models.stage(one):
                    stages.setdefault(text(one, "name"), []).append((models.stage(one) or "", text(one, "version")))
            has_models = self._can.logged_models
            yield self._batch(models.model_version(one, self._place, has_logged_models=has_models) for one in wanted)
        ask = getting(self._api.get, f"{V2}/registered-models/search", {}, 1000)
        for page in self._pages.listing(ask, "registered_models"):
            shown = next((text(one, "name") for one in page), shown)
            wanted = [one for one in page if not prompts.is_prompt(one) and self._selects(text(one, "name"))]
            yield self._batch(
                models.registered_model(one, stages.get(text(one, "name"), ()), self._place) for one in wanted
            )
        self.listed |= {"model", "model-version"}
        if shown:
            self._move(registered=shown)
        else:
            known = self._marks.of_workspace(self._place.workspace).registered
            told = nothing_registered(self._api, self._place.workspace, known)
            self._move(registered=known if told.failures else "")
            yield told

    def _prompts(self) -> Iterator[Batch]:
        """A second sweep: searches of the registry hide prompts unless they are asked for."""
        only = {"filter": prompts.ONLY_PROMPTS}
        ask = getting(self._api.get, f"{V2}/model-versions/search", only, 10_000)
        for page in self._pages.listing(ask, "model_versions"):
            yield self._batch(prompts.prompt_version(one, self._place) for one in page if prompts.is_prompt(one))
        ask = getting(self._api.get, f"{V2}/registered-models/search", only, 1000)
        for page in self._pages.listing(ask, "registered_models"):
            yield self._batch(prompts.prompt(one, self._place) for one in page if prompts.is_prompt(one))
        self.listed |= {"prompt", "prompt-version"}

    # What is small

    def _evaluation_datasets(self) -> Iterator[Batch]:
        for chunk in chunks(self._experiments, CHUNK):
            body: dict[str, Json] = {"experiment_ids": list(chunk)}
            for page in self._pages.listing(posting(self._api.post, f"{V3}/datasets/search", body), "datasets"):
                yield self._batch(evaluations.evaluation_dataset(one, self._place) for one in page)
        self.listed.add("evaluation-dataset")

    def _gateway(self) -> Iterator[Batch]:
        endpoints = listed(self._api.get(f"{V3}/gateway/endpoints/list"), "endpoints")
        bindings = listed(self._api.get(f"{V3}/gateway/endpoints/bindings/list"), "bindings") if endpoints else Rows()
        self._pages.strange += endpoints.strange + bindings.strange
        yield self._batch(gateway.endpoint(one, bindings, self._place) for one in endpoints)
        self.listed.add("gateway-endpoint")

    def _traces(self) -> Iterator[Batch]:
        newest = self._marks.of_workspace(self._place.workspace).start
        since = newest - self._place.options.recheck_window // timedelta(milliseconds=1)
        for scopes in traces(self._api, self._experiments, since, self._place):
            yield self._batch(scopes)


def _latest(now: datetime) -> int:
    return millis(now + timedelta(days=1))


def _is_evaluation(run: Json) -> bool:
    """Whether a run looks like one that judged models: it says so, or all that it read was for judging."""
    tags = pairs(field(field(run, "data"), "tags"))
    if "evaluate" in tags.get("mlflow.runType", ""):
        return True
    inputs = rows(field(run, "inputs"), "dataset_inputs")
    contexts = [pairs(field(one, "tags")).get("mlflow.data.context", "").lower() for one in inputs]
    judged = [one for one in contexts if one.startswith(("eval", "valid", "test"))]
    return bool(inputs) and len(judged) == len(inputs) and not rows(field(run, "outputs"), "model_outputs")


def _updated(model: Json) -> int:
    return number(field(field(model, "info"), "last_updated_timestamp_ms"))


def _model_id(model: Json) -> str:
    return text(field(model, "info"), "model_id")


def _runs_of(model: Json) -> Iterator[str]:
    """The runs that a model names: the one that wrote it, and those that measured it on data."""
    info = field(model, "info")
    if text(info, "source_run_id"):
        yield text(info, "source_run_id")
    yield from (text(one, "run_id") for one in rows(field(model, "data"), "metrics") if text(one, "run_id"))
