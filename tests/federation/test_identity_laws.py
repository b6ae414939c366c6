"""The laws of identity, on invented worlds."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watersmeet.federation.identity import Joins, Link, Member, Refusal, resolve
from watersmeet.federation.model import AssetKind, Form, Spelling
from watersmeet.federation.naming import Key, Registry, keys_of

from ..scale import examples

KINDS = (AssetKind.DATASET, AssetKind.DATASET_VERSION, AssetKind.MODEL, AssetKind.MODEL_VERSION, AssetKind.OTHER)
PLACES = ("postgres://a", "postgres://b", "snowflake://x", "file", "prod", "s3://lake")
NAMES = ("d.s.t", "D.S.T", "d.s.u")


def own(namespace: str, name: str) -> Spelling:
    return Spelling(Form.OPENLINEAGE, (namespace, name))


def further(namespace: str, name: str) -> Spelling:
    return Spelling(Form.SYMLINK, (namespace, name, "TABLE"))


spellings = st.one_of(
    st.builds(own, st.sampled_from(PLACES), st.sampled_from(NAMES)),
    st.builds(further, st.sampled_from(PLACES), st.sampled_from(NAMES)),
)


@st.composite
def worlds(draw: st.DrawFn) -> list[Member]:
    """Some records of few tellers, with few names, so that they meet and contradict each other."""
    found: list[Member] = []
    for number in range(1, draw(st.integers(2, 10)) + 1):
        teller = draw(st.sampled_from("abcd"))
        kind = draw(st.sampled_from(KINDS)) if draw(st.booleans()) else AssetKind.DATASET
        told = draw(st.lists(spellings, min_size=1, max_size=3))
        suspect = draw(st.integers(0, 9)) == 0
        found.append(Member(number, teller, teller, kind, keys_of(told, kind, Registry.EMPTY), suspect))
    return found


def groups(members: Iterable[Member]) -> set[frozenset[int]]:
    return set(resolve(members).groups)


def connected(members: Sequence[Member]) -> list[list[Member]]:
    """The parts of a world that have no strong key in common."""
    parts: list[list[Member]] = []
    for member in members:
        mine = {key.text for key in member.keys if key.strong}
        touched = [part for part in parts if any(key.text in mine for one in part for key in one.keys if key.strong)]
        parts = [part for part in parts if part not in touched]
        parts.append([*(one for part in touched for one in part), member])
    return parts


@given(worlds(), st.randoms())
def test_the_order_of_telling_does_not_matter(members: list[Member], random: Random) -> None:
    shuffled = list(members)
    random.shuffle(shuffled)
    assert resolve(shuffled) == resolve(members)


@given(worlds())
def test_the_order_of_keys_does_not_matter(members: list[Member]) -> None:
    turned = [Member(m.record, m.source, m.teller, m.kind, tuple(reversed(m.keys)), m.suspect) for m in members]
    assert resolve(turned) == resolve(members)


@given(worlds())
def test_each_neighbourhood_alone_gives_what_all_together_give(members: list[Member]) -> None:
    groups_, links, refused = set[frozenset[int]](), set[Link](), set[Refusal]()
    for part in connected(members):
        joins = resolve(part)
        groups_ |= set(joins.groups)
        links |= set(joins.links)
        refused |= set(joins.refused)
    whole = resolve(members)
    assert (set(whole.groups), set(whole.links), set(whole.refused)) == (groups_, links, refused)


@given(worlds(), st.data())
def test_a_record_told_and_taken_back_leaves_no_trace(members: list[Member], data: st.DataObject) -> None:
    before = resolve(members[:-1])
    resolve(members)
    assert resolve(members[:-1]) == before
    gone = data.draw(st.sampled_from(members))
    rest = [member for member in members if member is not gone]
    assert resolve(rest) == resolve([*reversed(rest)])


@given(worlds())
def test_numbers_do_not_decide_who_is_one_with_whom(members: list[Member]) -> None:
    turned = {member.record: 1000 - member.record for member in members}
    again = [Member(turned[m.record], m.source, m.teller, m.kind, m.keys, m.suspect) for m in members]
    assert groups(again) == {frozenset(turned[record] for record in group) for group in groups(members)}


@pytest.mark.law
@settings(max_examples=examples(300))
@given(worlds())
def test_no_group_holds_what_must_stay_apart(members: list[Member]) -> None:
    of = {member.record: member for member in members}
    for group in resolve(members).groups:
        inside = [of[record] for record in group]
        assert not any(member.suspect for member in inside)
        kinds = {member.kind for member in inside} - {AssetKind.OTHER}
        assert AssetKind.DATASET_VERSION not in kinds or len(kinds) == 1
        assert not {AssetKind.MODEL, AssetKind.MODEL_VERSION} <= kinds
        assert_one_place(inside)
        assert_tellers_agree(inside)


def assert_one_place(inside: list[Member]) -> None:
    """Own places of one system are one, unless a record has several of its own."""
    places: dict[str, list[set[str]]] = defaultdict(list)
    for member in inside:
        own: dict[str, set[str]] = defaultdict(set)
        for key in member.keys:
            _, system, authority, _ = key.parts
            if key.strong and not key.is_alias and authority and system in ("postgres", "snowflake", "s3"):
                own[system].add(authority)
        for system, some in own.items():
            places[system].append(some)
    for told in places.values():
        reached = set(told[0])
        for _ in told:
            reached |= {place for some in told if some & reached for place in some}
        assert all(some <= reached for some in told)


def assert_tellers_agree(inside: list[Member]) -> None:
    """Records of one teller in one group hang together by aliases that this very teller states."""
    by_teller: dict[str, list[Member]] = defaultdict(list)
    for member in inside:
        by_teller[member.teller].append(member)
    for mine in by_teller.values():
        reached = {mine[0].record}
        for _ in mine:
            for left in mine:
                for right in mine:
                    if left.record in reached and states(left, right):
                        reached.add(right.record)
        assert reached == {member.record for member in mine}


def states(left: Member, right: Member) -> bool:
    def names(member: Member) -> set[str]:
        return {key.text for key in member.keys if key.strong and not key.is_alias}

    def aliases(member: Member) -> set[str]:
        return {key.text for key in member.keys if key.strong and key.is_alias}

    return bool(names(left) & aliases(right) or names(right) & aliases(left))


@given(worlds())
def test_links_span_their_groups_and_show_keys_that_both_hold(members: list[Member]) -> None:
    joins = resolve(members)
    of = {member.record: {key.text for key in member.keys if key.strong} for member in members}
    assert len(joins.links) == sum(len(group) - 1 for group in joins.groups)
    reached = {group: {min(group)} for group in joins.groups}
    for _ in joins.links:
        for link in joins.links:
            for some in reached.values():
                if some & {link.left, link.right}:
                    some |= {link.left, link.right}
    assert all(some == group for group, some in reached.items())
    for link in joins.links:
        assert link.evidence
        assert link.left < link.right
        assert 0.95 <= link.score <= 1.0
        assert set(link.evidence) <= of[link.left] & of[link.right]


@given(worlds())
def test_a_name_that_a_teller_has_for_several_things_joins_no_two_tellers(members: list[Member]) -> None:
    joins = resolve(members)
    group = {record: number for number, some in enumerate(joins.groups) for record in some}
    things: dict[tuple[str, str, bool], set[int]] = defaultdict(set)
    for member in members:
        for key in member.keys:
            if key.strong and not member.suspect:
                versions = member.kind is AssetKind.DATASET_VERSION
                things[key.text, member.teller, versions].add(group.get(member.record, -member.record))
    ambiguous = {(key, versions) for (key, _, versions), some in things.items() if len(some) > 1}
    of = {member.record: member for member in members}
    for link in joins.links:
        left, right = of[link.left], of[link.right]
        if left.teller != right.teller:
            versions = left.kind is AssetKind.DATASET_VERSION
            assert not {(key, versions) for key in link.evidence} & ambiguous


def test_a_thousand_records_of_one_chain_are_resolved_at_once() -> None:
    def member(number: int) -> Member:
        held = (Key(f"data|x|p|{number}", True, "own"), Key(f"data|x|p|{number + 1}", True, "own"))
        return Member(number, f"s{number}", f"s{number}", AssetKind.DATASET, held)

    joins: Joins = resolve(member(number) for number in range(1000))
    assert len(joins.groups) == 1
    assert len(joins.links) == 999
