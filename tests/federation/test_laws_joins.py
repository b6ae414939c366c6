"""Who is one with whom is a function of the keys, not of the order of telling; and it can be taken back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .histories import Ground, Say, Thing, law
from .laws import share

pytestmark = [pytest.mark.hard, pytest.mark.timeout(1200)]

keyed = st.lists(
    st.tuples(st.sampled_from(("one", "two")), st.sampled_from("abcd"), st.none() | st.integers(0, 2)),
    min_size=2,
    max_size=6,
    unique_by=lambda one: one[:2],
)


def _word(source: str, name: str, key: int | None) -> Say:
    return Say(source, f"s/{name}", (Thing(name, key=key),))


def _groups(ground: Ground) -> object:
    columns = ground.store.reader.columns()
    name = ground.names(columns)
    groups: dict[int, set[str]] = {}
    for record, asset in zip(columns.record.tolist(), columns.asset.tolist(), strict=True):
        groups.setdefault(asset, set()).add(name[record])
    assert all(asset in {*columns.record.tolist()} for asset in groups)
    return {frozenset(some) for some in groups.values()}


def _reasons(ground: Ground) -> object:
    columns = ground.store.reader.columns()
    return {
        asset: [
            (link.left, link.right, link.rule, link.score, link.evidence) for link in ground.store.reader.links(asset)
        ]
        for asset in set(columns.asset.tolist())
    }, ground.store.reader.gaps()


@law(share("joins"))
@given(keyed, st.randoms(use_true_random=False), st.data())
def test_joins_are_a_function_of_the_keys_and_leave_no_trace_when_taken_back(
    ground: Ground, told: list[tuple[str, str, int | None]], dice: object, data: st.DataObject
) -> None:
    shuffled = list(told)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random of hypothesis
    groups: list[object] = []
    for order in (told, shuffled):
        ground.fresh()
        for one in order:
            ground.tell(_word(*one))
        groups.append(_groups(ground))
    assert groups[0] == groups[1]
    before = (ground.state().records, _reasons(ground))
    source, name, key = data.draw(st.sampled_from(told))
    other = data.draw(st.sampled_from([number for number in (None, 0, 1, 2) if number != key]))
    ground.tell(_word(source, name, other))
    ground.tell(_word(source, name, key))
    assert (ground.state().records, _reasons(ground)) == before
