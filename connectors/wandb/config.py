"""What a run's config and summary say: parameters, metrics, and the ids that other trackers gave the same run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

from ...federation.model import Form, Json, Skipped, Spelling
from ...federation.openlineage.confidential import redacted
from .options import Options
from .wire import field as field_of
from .wire import has_no_numbers, loads, not_numbers, numbers, parameter, sample, text, values

_RAW = 65_536
"""As much is kept of a text that is no JSON."""
_HUGE = 2**20
_MLFLOW = ("mlflow.run_id", "mlflow_run_id", "mlflow/run_id", "MLFLOW_RUN_ID")


@dataclass(frozen=True, slots=True)
class Config:
    """One run's config and summary, read leniently."""

    parameters: Mapping[str, Json] = field(default_factory=dict[str, Json])
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    own: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """What is kept as it came, because it could not be read."""
    skipped: tuple[Skipped, ...] = ()
    limits: Options = field(default_factory=Options)

    @classmethod
    def of(cls, raw: Json, native_id: str, options: Options) -> "Config":
        """Read both of a run."""
        own: dict[str, Json] = {}
        skipped: list[Skipped] = []
        parsed: dict[str, Json] = {}
        for name in ("config", "summaryMetrics"):
            written = field_of(raw, name)
            parsed[name], wrong = loads(written)
            if not wrong and parsed[name] is not None and not isinstance(parsed[name], Mapping):
                wrong = "it is no object"
            if wrong:
                own[f"{name}_text"] = redacted(text(raw, name)[:_RAW])[0]
                reason = f"its {name} cannot be read ({wrong}): the text is kept"
                skipped.append(Skipped(f"{name} of {native_id}", reason, sample(written), lost=False))
            elif isinstance(written, str) and len(written) > _HUGE:
                reason = f"its {name} has {len(written):,} characters: the first values alone are kept"
                skipped.append(Skipped(f"{name} of {native_id}", reason, lost=False))
            elif has_no_numbers(written):
                reason = f"its {name} holds numbers that are none (NaN, Infinity): they are kept as words"
                skipped.append(Skipped(f"{name} of {native_id}", reason, lost=False))
        metrics = dict(islice(numbers(parsed["summaryMetrics"]), options.max_metrics))
        if odd := dict(islice(not_numbers(parsed["summaryMetrics"]), options.max_metrics)):
            own["not_numbers"] = odd
        return cls(values(parsed["config"]), metrics, own, tuple(skipped), options)

    def facets(self) -> dict[str, Json]:
        """As the record carries them."""
        found: dict[str, Json] = {}
        if self.parameters:
            some = islice(sorted(self.parameters.items()), self.limits.max_params)
            found["parameters"] = {name: parameter(name, value) for name, value in some}
        if metrics := {name: value for name, value in self.metrics.items() if not name.startswith("_wandb")}:
            found["metrics"] = metrics
        return found

    def spellings(self, tags: Sequence[str]) -> Iterator[Spelling]:
        """The same run in other trackers. No instance is told, so each is a hint unless the settings name one."""
        found = [str(self.parameters[name]) for name in _MLFLOW if isinstance(self.parameters.get(name), str)]
        mlflow = self.parameters.get("mlflow")
        if isinstance(mlflow, Mapping) and isinstance(cast(Mapping[str, Any], mlflow).get("run_id"), str):
            found.append(str(cast(Mapping[str, Any], mlflow)["run_id"]))
        for tag in tags:
            name, sign, value = tag.replace("=", ":", 1).partition(":")
            if sign and name in _MLFLOW:
                found.append(value.strip())
        source, _, workspace = self.limits.mlflow.partition("/")
        for one in dict.fromkeys(found):
            yield Spelling(Form.MLFLOW, (source, workspace, "run", one), weak=not source)
