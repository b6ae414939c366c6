"""The laws together are held to as many random histories as the project promises."""

import re
from pathlib import Path

from .laws import DATABASES, LONGER, SHARES


def test_the_shares_add_up_to_ten_thousand_in_ci_and_a_hundred_thousand_at_leisure() -> None:
    together = DATABASES * sum(SHARES.values())
    assert together >= 10_000
    assert together * LONGER >= 100_000


def test_every_share_is_some_laws() -> None:
    texts = [file.read_text() for file in Path(__file__).parent.glob("test_laws_*.py")]
    assert {name for text in texts for name in re.findall(r'share\("([a-z ]+)"', text)} == SHARES.keys()
