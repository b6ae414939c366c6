"""What holds for every injected failure; a platform joins with its list."""

import os
import re
from collections.abc import Sequence
from typing import ClassVar

import pytest

from ...scale import scale
from .failures import REWRITE, Failure, Laboratory, Moment, Outcome, section, told, write, written

_HEALED = {"quick": 5, "ci": 1, "long": 1}
"""Of so many failures one is mended and read again: at the larger scales all are."""


class FailuresAreSeen:
    """Inherit it, give the list, and a fixture `laboratory` beside it."""

    failures: ClassVar[Sequence[Failure]]
    at_least: ClassVar[int]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "failure" in metafunc.fixturenames:
            metafunc.parametrize("failure", self.failures, ids=lambda one: one.title)

    def test_it_is_seen_and_nothing_is_lost(self, laboratory: Laboratory, failure: Failure) -> None:
        heal = self.failures.index(failure) % _HEALED[scale()] == 0
        outcome = laboratory.outcome(failure, heal=heal)
        journal_says_it(outcome)
        source_says_it(outcome)
        answer_says_it(outcome)
        nothing_is_lost(outcome)
        if heal:
            it_heals(outcome)

    def test_there_are_enough_of_them_and_none_twice(self) -> None:
        titles = [one.title for one in self.failures]
        assert len(set(titles)) == len(titles) >= self.at_least

    def test_the_page_shows_what_happens(self, laboratory: Laboratory) -> None:
        platform = laboratory.platform
        text = section(platform, [laboratory.outcome(one) for one in self.failures])
        if os.environ.get(REWRITE):
            write(platform, text)
        assert written(platform) == text, "docs/failures.md shows something else: `make failures` writes it anew"


def journal_says_it(outcome: Outcome) -> None:
    """The sync says how it ended, and why."""
    failure, sync = outcome.failure, outcome.seen.sync
    assert sync.state is failure.state, sync
    assert re.search(failure.says, told(outcome.seen)), told(outcome.seen)
    assert "nobody foresaw" not in told(outcome.seen)
    if failure.harmless:
        assert sync.complete
        assert outcome.seen.skips, "it was not noted"
    elif sync.complete:
        assert outcome.seen.skipped, "everything was read, and nothing was kept aside"
        assert sync.skipped
    else:
        assert sync.message


def source_says_it(outcome: Outcome) -> None:
    """The source is not as if nothing had happened: it is in trouble, or has kept things aside."""
    assert outcome.seen.status == outcome.failure.status
    assert outcome.seen.status != "OK" or outcome.seen.skipped or outcome.failure.harmless


def answer_says_it(outcome: Outcome) -> None:
    """An answer is a lower bound, says whose fault that is, and what to do; exact, where nothing is missing."""
    completeness = outcome.seen.completeness
    if outcome.failure.harmless:
        assert completeness.exact
        return
    reasons = [*completeness.failures, *completeness.stale]
    assert not completeness.exact
    assert {one.source for one in reasons} == {outcome.seen.sync.source}
    assert any(re.search(outcome.failure.remedy, one.remedy) for one in reasons), reasons


def nothing_is_lost(outcome: Outcome) -> None:
    """What was known before is known now."""
    if outcome.before is None:
        assert outcome.failure.moment is Moment.FIRST
        return
    assert outcome.seen.assets >= outcome.before.assets
    assert outcome.seen.edges >= outcome.before.edges
    # What is told in another way takes the place of what was told before.
    assert outcome.seen.sync.removed <= (outcome.seen.sync.written if outcome.failure.harmless else 0)


def it_heals(outcome: Outcome) -> None:
    """Once the fault is gone, so is every trace of it."""
    healed = outcome.healed
    assert healed is not None
    assert healed.sync.complete, healed.sync
    assert healed.status == "OK"
    assert healed.completeness.exact, healed.completeness
