"""Which asset somebody means by what they paste."""

from datetime import timedelta
from typing import Any

import pytest

from watersmeet.federation.connector import Batch
from watersmeet.federation.errors import Ambiguous, BadInput, NotFound
from watersmeet.federation.model import AssetKind, Edge, EdgeKind, Form, Record, Scope, Spelling, Tombstone
from watersmeet.federation.store import Store

from .houses import DAY, House

K = AssetKind


@pytest.fixture
def house(store: Store, clock: Any) -> House:
    return House(store, clock)


def table(name: str, native_id: str | None = None) -> Record:
    """A table of a warehouse."""
    namespace = "postgres://warehouse:5432"
    spelling = Spelling(Form.OPENLINEAGE, (namespace, name))
    return Record(native_id or f"{namespace}/{name}", K.DATASET, name, spellings=(spelling,))


def model(*aliases: tuple[str, str]) -> Scope:
    """A registered model with two versions and aliases (name, version)."""

    def spelled(kind: str, name: str) -> tuple[Spelling, ...]:
        return (Spelling(Form.MLFLOW, ("models", "default", kind, name)),)

    return Scope(
        "model/churn",
        records=(
            Record("model/churn", K.MODEL, "churn", spellings=spelled("model", "churn")),
            *(
                Record(f"version/{n}", K.MODEL_VERSION, f"churn/{n}", spellings=spelled("model-version", f"churn/{n}"))
                for n in "12"
            ),
        ),
        edges=tuple(
            Edge(f"version/{version}", "model/churn", EdgeKind.ALIAS_OF, alias=alias) for alias, version in aliases
        ),
    )


@pytest.mark.parametrize(
    "pasted",
    [
        "postgres://warehouse:5432/shop.raw.orders",
        "dataset:postgres://warehouse:5432:shop.raw.orders",
        "postgresql://warehouse/shop.raw.orders",
        "shop.raw.orders",
    ],
)
def test_every_spelling_of_a_table_finds_it(house: House, pasted: str) -> None:
    house.say("pipes", Scope("d/1", (table("shop.raw.orders"),)))
    assert house.inquiry.find(pasted) == house.id("postgres://warehouse:5432/shop.raw.orders")


def test_an_id_of_ours_finds_its_asset(house: House) -> None:
    house.say("pipes", Scope("d/1", (table("shop.raw.orders"),)))
    number = house.id("postgres://warehouse:5432/shop.raw.orders")
    assert house.inquiry.asset(id=number) == number
    assert house.inquiry.find(str(number)) == number


def test_nothing_found_is_none_and_find_says_so(house: House) -> None:
    assert house.inquiry.asset(key="no such thing") is None
    assert house.inquiry.asset(id=4711) is None
    with pytest.raises(NotFound, match="no such thing"):
        house.inquiry.find("no such thing")


@pytest.mark.parametrize("given", [{}, {"id": 1, "key": "a"}])
def test_exactly_one_of_id_and_key_is_given(house: House, given: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="exactly one"):
        house.inquiry.asset(**given)


def test_what_may_mean_several_lists_them_and_the_source_decides(house: House) -> None:
    for source in ("pipes", "models"):
        house.say(source, Scope("d/1", (Record("orders", K.DATASET, "orders"),)))
    with pytest.raises(Ambiguous) as caught:
        house.inquiry.find("orders")
    assert {source for _, source, _ in caught.value.candidates} == {"pipes", "models"}
    found = house.inquiry.find("orders", source="models")
    assert (found, "models", "orders") in caught.value.candidates


def test_a_name_passes_on_from_what_is_gone(house: House) -> None:
    for source in ("pipes", "models"):
        house.say(source, Scope("d/1", (Record("orders", K.DATASET, "orders"),)))
    gone = Batch(tombstones=(Tombstone("orders", house.clock.move(days=1)),))
    house.store.ledger.write("pipes", gone, read_started_at=house.clock.now)
    assert house.inquiry.find("orders") == house.inquiry.find("orders", source="models")


def test_an_alias_means_the_version_that_bore_it_then(house: House) -> None:
    house.say("models", model(("champion", "1")))
    first = house.clock.now
    house.clock.move(days=1)
    house.say("models", model(("champion", "2")))
    assert house.inquiry.find("models:/churn@champion") == house.id("version/2")
    before = house.inquiry.find("models:/churn@champion", as_of=first + timedelta(hours=1))
    assert before == house.id("version/1")
    assert house.inquiry.find("models:/churn/1") == house.id("version/1")
    assert house.inquiry.find("models:/churn") == house.id("model/churn")


def test_an_alias_that_nobody_bears_is_not_found(house: House) -> None:
    house.say("models", model(("champion", "1")))
    assert house.inquiry.asset(key="models:/churn@challenger") is None
    assert house.inquiry.asset(key="models:/other@champion", as_of=DAY) is None
