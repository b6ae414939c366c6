"""By which names the things of Weights & Biases are known elsewhere."""

import pytest

from watersmeet.federation.model import AssetKind, Form, Spelling
from watersmeet.federation.naming import Registry, keys
from watersmeet.federation.naming.wandb import instance_of


def told(type_: str, name: str, kind: AssetKind, instance: str = "saas") -> tuple[str, bool]:
    (one,) = keys(Spelling(Form.WANDB, (instance, type_, name)), kind, Registry.EMPTY)
    return one.text, one.strong


@pytest.mark.parametrize(
    "url",
    [
        "https://api.wandb.ai",
        "https://wandb.ai",
        "https://api.forge.coreweave.com",
        "https://forge.coreweave.com/wandb",
        "https://API.wandb.ai:443",
    ],
)
def test_the_hosted_service_is_one_tenant_under_all_its_names(url: str):
    """Wandb, check 14: two hosts, no thing twice."""
    assert instance_of(url) == "saas"


def test_an_own_server_is_known_by_its_host_and_port():
    assert instance_of("http://Wandb.Acme.io:8080/x") == "wandb.acme.io:8080"


@pytest.mark.parametrize(
    ("type_", "name", "kind", "key", "strong"),
    [
        ("run", "UnVuOg==", AssetKind.RUN, "run|wandb|saas|UnVuOg==", True),
        ("run", "acme/fraud/r1", AssetKind.RUN, "run|wandb|saas|acme/fraud/r1", True),
        ("dataset-version", "QXI6MQ==", AssetKind.DATASET_VERSION, "data|wandb|saas|QXI6MQ==", True),
        ("dataset-version", "acme/fraud/tx:v0", AssetKind.DATASET_VERSION, "data|wandb|saas|acme/fraud/tx:v0", False),
        ("model-version", "QXI6Mg==", AssetKind.MODEL_VERSION, "model|wandb|saas|QXI6Mg==", True),
        ("model", "acme/fraud/m", AssetKind.MODEL, "model|wandb|saas|acme/fraud/m", False),
        ("project", "UHI6MQ==", AssetKind.EXPERIMENT, "other|wandb|saas|project/UHI6MQ==", True),
    ],
)
def test_ids_last_and_names_that_may_be_given_anew_are_hints(
    type_: str, name: str, kind: AssetKind, key: str, strong: bool
):
    assert told(type_, name, kind) == (key, strong)


def test_nothing_is_known_by_an_id_of_an_instance_that_is_not_told():
    assert told("run", "UnVuOg==", AssetKind.RUN, instance="")[1] is False
