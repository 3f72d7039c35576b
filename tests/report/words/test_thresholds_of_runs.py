"""Runs with thresholds of their own, in words and pictures: each is compared with its own, and the report says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.report.audit.strips import strips
from dlnrepro.report.drawing.strip_plot import strip_plot
from dlnrepro.report.words.audit_words import sharpness_words
from dlnrepro.report.words.margins import distance_words, margin_words
from dlnrepro.verdict.audit import audited
from dlnrepro.verdict.audited import CriterionAudit
from dlnrepro.verdict.judge import Judged, judge
from dlnrepro.verdict.outcome import Outcome

Write = Callable[..., Path]
BOUND = "at_least: 0.8 * drawn"
DRAWN = [1.0 + run for run in range(16)]


def outcomes() -> Mapping[str, Outcome]:
    """Runs that measure a multiple of what they drew: 1 in the arm and 0.5 in its control, with one run nearer."""
    seeds = tuple(range(16))
    multiples = {"near": [0.96] + [1.0] * 15, "far": [0.52] + [0.5] * 15}
    return {
        arm: Outcome(seeds, {"height": [own * value for own, value in zip(found, DRAWN, strict=True)], "drawn": DRAWN})
        for arm, found in multiples.items()
    }


@pytest.fixture
def judged(write_drawn: Write) -> Callable[..., Judged]:
    """The criterion with other bounds, judged."""

    def found(bounds: str) -> Judged:
        return judge(load_claim(write_drawn((BOUND, bounds))), outcomes()).criteria[0]

    return found


@pytest.fixture
def audit(write_drawn: Write) -> Callable[..., CriterionAudit]:
    """The audit of the criterion with other bounds."""

    def found(bounds: str) -> CriterionAudit:
        return audited(load_claim(write_drawn((BOUND, bounds))), outcomes(), []).criteria[0]

    return found


@pytest.mark.parametrize(
    ("bounds", "margin", "distance"),
    [
        (
            "at_least: 0.8 * drawn",
            "0.96, 0.16 inside its threshold 0.8 (1.2 times the threshold)",
            "distance between the worst run (0.96, 1.2 times its threshold) and the nearest control run (0.52, 0.65 "
            "times its threshold, far): 0.55 times the threshold",
        ),
        (
            "equals: drawn\n    within: 0.4 * drawn",
            "0.96, 0.36 inside its threshold 0.6 (uses 10 % of the tolerance)",
            "distance between the worst run (0.96, -0.1 times half the width of its interval from the middle) and the "
            "nearest control run (0.52, -1.2 times half the width of its interval from the middle, far): 1.1 times "
            "half the width of the interval",
        ),
        (
            "at_least: drawn - 1",
            "0.96, 0.96 inside its threshold 0",
            "distance between the worst run (0.96, 0.96 inside its threshold) and the nearest control run (0.52, 0.52 "
            "inside its threshold, far): 0.44",
        ),
    ],
)
def test_a_worst_run_is_compared_with_its_own_threshold(
    judged: Callable[..., Judged], bounds: str, margin: str, distance: str
) -> None:
    item = judged(bounds)
    assert margin_words(item) == margin
    assert distance_words(item) == distance


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ("at_least: 0.8 * drawn", "each value is divided by the size of its own threshold"),
        ("equals: drawn\n    within: 0.1 * drawn", "divided by half the width of this interval"),
        ("at_least: drawn - 1", "each value is drawn as its distance from its own interval"),
    ],
)
def test_a_strip_plot_says_that_thresholds_differ_and_marks_runs_by_their_own(
    judged: Callable[..., Judged], bounds: str, words: str
) -> None:
    picture = strip_plot({}, judged(bounds), "p", titled=True).alone()
    text = " ".join(" ".join(re.sub(r"<[^>]*>", " ", picture).split()).split())
    assert "The thresholds differ between runs." in text
    assert words in text


def test_a_strip_plot_without_any_threshold_has_no_data(write_drawn: Write) -> None:
    nothing = {arm: Outcome((0,), {"height": [1.0]}) for arm in ("near", "far")}
    (item,) = judge(load_claim(write_drawn()), nothing).criteria
    assert "no data" in strip_plot({}, item, "p").alone()


def test_a_strip_plot_of_equal_thresholds_shows_the_measure_itself(judged: Callable[..., Judged]) -> None:
    assert "The thresholds differ" not in strip_plot({}, judged("at_least: 0.2 * strengths[1]"), "p").alone()


def test_an_audit_gives_thresholds_and_theory_as_multiples(audit: Callable[..., CriterionAudit]) -> None:
    item = audit(BOUND + "\n    theory_allows: 0.4 * drawn ** 1")
    lines = sharpness_words(item)
    assert item.unit == "threshold"
    assert item.theory == ((0.8, 0.4),) or all(ours == pytest.approx(2 * theirs) for ours, theirs in item.theory)
    assert lines[0].startswith(
        "The worst run has 0.96 (near, 1.2 times its threshold), and the nearest control run has "
    )
    assert "For at_least, every multiple from 1.2 to " in lines[1]


def test_an_audit_says_where_theory_is_nearest_and_furthest(audit: Callable[..., CriterionAudit]) -> None:
    words = " ".join(sharpness_words(audit(BOUND + "\n    theory_allows: 0.4 * drawn ** 0.5")))
    assert (
        "Theory allows 0.4 * drawn ** 0.5 (0.4 to 1.6), and the threshold is 0.8 * drawn (0.8 to 12.8): in one run it "
        "is tighter by a factor of 8, in another tighter by a factor of 2."
    ) in words


def test_an_audit_of_an_interval_gives_its_resolution_in_half_widths(audit: Callable[..., CriterionAudit]) -> None:
    item = audit("equals: drawn\n    within: 0.4 * drawn")
    assert item.unit == "tolerance"
    assert "It notices a shift of the measure by +1 or -1 times half the width of the run's interval." in " ".join(
        sharpness_words(item)
    )


def test_strips_have_one_bar_for_the_thresholds_of_all_runs(audit: Callable[..., CriterionAudit]) -> None:
    drawn = strips(audit(BOUND), 20)
    assert drawn is not None
    rows, axis = drawn
    assert [row.count("|") for row in rows] == [1, 1]
    assert axis.split() == ["0.625", "1.25"]
