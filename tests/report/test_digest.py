"""A record in a few plain words."""

from __future__ import annotations

from dlnrepro.report.digest import allowance


def test_runs_that_may_miss_are_counted_in_words_and_none_is_no_word() -> None:
    assert [allowance(misses) for misses in (0, 1, 2)] == ["", ", 1 run may miss", ", 2 runs may miss"]
