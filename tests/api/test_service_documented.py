"""The page about the service says what the service does."""

import re
from pathlib import Path
from typing import Any

from watersmeet.config.settings import Inlet, Limits

from .conftest import Service

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_limit_is_on_the_page():
    for name in Limits.model_fields:
        assert f"`{name}`" in PAGE, name


def test_every_setting_of_the_inlet_that_a_sender_meets_is_on_the_page():
    for name in ("wire_bytes", "inflated_bytes", "batch"):
        assert name in Inlet.model_fields
        assert f"`inlet.{name}`" in PAGE


def test_every_code_of_an_error_is_on_the_page():
    source = (Path(__file__).parents[2] / "api" / "graphql" / "errors.py").read_text(encoding="utf-8")
    for code in set(re.findall(r'"([A-Z]+(?:_[A-Z]+)*)"', source)):
        assert f"`{code}`" in PAGE, code


def test_every_path_is_on_the_page(service: Service):
    app: Any = service.client.app
    routes: list[Any] = app.routes
    paths: set[str] = {route.path for route in routes}
    for path in paths - {"/console.js", "/console.css"}:
        assert f"`{path}`" in PAGE, path
