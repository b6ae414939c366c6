"""The rounds together are as many as the project promises."""

from .shares import LONGER, SHARES


def test_the_rounds_add_up_to_two_hundred_in_ci_and_a_thousand_at_leisure() -> None:
    together = sum(SHARES.values())
    assert together >= 200
    assert together * LONGER >= 1000
