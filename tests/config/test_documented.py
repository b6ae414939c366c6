"""Every setting is in the example and in the documentation, and every example in a message is right."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from pydantic import BaseModel

from watersmeet.config.problems import example_of, field_at, model_at
from watersmeet.config.settings import EXAMPLE, Settings, load

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "configuration.md"
SECRETS = {name: "s3cret" for name in ("MLFLOW_TOKEN", "WANDB_API_KEY", "MLFLOW_PASSWORD")}


def every_key(model: type[BaseModel] = Settings, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The way to every setting; `*` stands for an item of a list or mapping."""
    for name, field in model.model_fields.items():
        here = (*above, name)
        yield here
        below = model_at(model, (name,))
        inner = model_at(model, (name, 0)) if below is None else None
        inner = model_at(model, (name, "x")) if below is None and inner is None else inner
        if below is not None:
            yield from every_key(below, here)
        elif inner is not None:
            yield from every_key(inner, (*here, "*"))
        assert field.description, f"{'.'.join(here)} says nothing about itself"


KEYS = sorted(set(every_key()))


def written(raw: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The way to every key of the example, in the same words."""
    if isinstance(raw, list):
        for item in cast(list[Any], raw):
            yield from written(item, (*above, "*"))
    elif isinstance(raw, dict):
        free = above in (("authorities",), ("sources", "*", "options"))
        for key, value in cast(dict[str, Any], raw).items():
            here = (*above, "*" if free else key)
            yield here
            yield from written(value, here)


def test_the_tree_is_walked_to_its_leaves():
    assert ("sources", "*", "http", "timeout") in KEYS
    assert ("authorities", "*", "aliases") in KEYS
    assert ("bindings", "*", "openlineage") in KEYS


def test_the_example_is_right():
    settings = load(EXAMPLE, SECRETS)
    assert [source.id for source in settings.sources][:2] == ["tracking", "pipelines"]


def test_what_the_example_shows_as_defaults_are_the_defaults():
    shown, default = load(EXAMPLE, SECRETS), Settings()
    assert (shown.server, shown.inlet, shown.http) == (default.server, default.inlet, default.http)


@pytest.mark.parametrize("key", KEYS, ids=".".join)
def test_every_setting_is_in_the_example(key: tuple[str, ...]):
    example = set(written(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))))
    shared = key[:3] == ("sources", "*", "http") and len(key) == 4  # the keys of `http`, shown once
    assert key in example or (shared and key[2:] in example)


@pytest.mark.parametrize("key", KEYS, ids=".".join)
def test_every_setting_is_in_the_documentation(key: tuple[str, ...]):
    assert f"`{key[-1]}`" in DOCUMENTATION.read_text(encoding="utf-8")


@pytest.mark.parametrize("key", KEYS, ids=".".join)
def test_the_example_in_a_message_is_yaml_that_says_what_it_shows(key: tuple[str, ...]):
    loc = tuple(0 if part == "*" and key[0] != "authorities" else part for part in key)
    field = field_at(Settings, loc)
    assert field is not None
    shown = yaml.safe_load(example_of(Settings, loc))
    expected = (field.examples or [None])[0]
    assert list(shown) == [key[-1]]
    assert shown[key[-1]] == expected or str(shown[key[-1]]) == str(expected)
