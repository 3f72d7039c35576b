"""The data of figures: medians and ranges of finite runs, with theory's curve, and None for missing numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dlnrepro.archive.figure_data import POINTS, drawings
from dlnrepro.claimfile.loader import read_claim
from dlnrepro.claimfile.schema import Claim

Write = Callable[..., Path]


@pytest.fixture
def claim(write_claim: Write) -> Claim:
    return read_claim(write_claim(("arms: [near, far]}", "arms: [near, far], reference: lone, level: 2}")))


def test_a_line_is_the_median_and_the_range_of_the_finite_runs(claim: Claim) -> None:
    x = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 3.0]])
    y = np.array([[1.0, np.nan], [2.0, np.nan], [6.0, np.inf]])
    (drawing,) = drawings(claim, {"near": {"step": x, "height": y, "lone": y * 10}, "far": {}})
    (line,) = drawing.lines
    assert (line.arm, line.series) == ("near", "height")
    assert line.positions == [0.0, 1.0]
    assert (line.median, line.low, line.high) == ([2.0, None], [1.0, None], [6.0, None])
    (theory,) = drawing.references
    assert (theory.median, theory.low, theory.high) == ([20.0, None], [], [])
    assert (drawing.x, drawing.y, drawing.level) == ("step", ["height"], 2)


def test_an_arm_that_failed_has_no_line(claim: Claim) -> None:
    (drawing,) = drawings(claim, {"near": {}, "far": {}})
    assert drawing.lines == drawing.references == []


@pytest.mark.slow
def test_a_long_series_is_thinned_at_the_same_points_for_every_part(claim: Claim) -> None:
    x = np.tile(np.arange(10_000.0), (2, 1))
    (drawing,) = drawings(claim, {"near": {"step": x, "height": x**2, "lone": x}})
    line, theory = drawing.lines[0], drawing.references[0]
    lengths = {len(part) for part in (line.positions, line.median, line.low, line.high, theory.median)}
    assert len(lengths) == 1
    assert lengths.pop() <= POINTS
    assert line.positions == theory.positions
