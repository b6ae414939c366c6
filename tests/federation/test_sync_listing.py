"""What a complete listing mentioned is remembered in little room."""

import xxhash
from hypothesis import given
from hypothesis import strategies as st

from watersmeet.federation.connector import Batch
from watersmeet.federation.listing import Digests, Listing
from watersmeet.federation.model import Scope


def digest(key: str) -> bytes:
    return xxhash.xxh3_128_digest(key.encode())


def test_only_families_that_were_listed_to_the_end_are_finished():
    listing = Listing()
    listing.note(Batch(scopes=(Scope("run/1"), Scope("model/a"))))
    listing.note(Batch(scopes=(Scope("model/b"),), listed=("model",)))
    assert list(listing.finished()) == [("model", False)]
    assert set(listing.seen("model")) == {digest("model/a"), digest("model/b")}


def test_a_family_without_any_member_can_be_listed_to_the_end():
    listing = Listing()
    listing.note(Batch(listed=("run",)))
    assert list(listing.finished()) == [("run", False)]
    assert len(listing.seen("run")) == 0


def test_one_unsure_batch_makes_its_families_unsure():
    listing = Listing()
    listing.note(Batch(listed=("run", "model"), unsure=True))
    listing.note(Batch(listed=("run",)))
    assert dict(listing.finished()) == {"run": True, "model": True}


@given(st.lists(st.binary(min_size=16, max_size=16)), st.binary(min_size=16, max_size=16))
def test_it_is_a_set_of_digests(members: list[bytes], other: bytes):
    digests = Digests(b"".join(members))
    assert sorted(set(members)) == list(digests)
    assert all(member in digests for member in members)
    assert (other in digests) == (other in members)
