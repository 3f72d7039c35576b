"""Settings of parallel paths: the draws that their fields describe."""

from __future__ import annotations

import torch

from dlnrepro.settings.pathways import AlignedPathSettings, PathMatrixSettings
from tests.runners.running import seeded


def test_the_first_path_is_ahead_of_losers_that_lie_in_their_range() -> None:
    params = AlignedPathSettings.model_validate({"depth": 3, "law_depth": "same", "paths": 4, "losers": [0.2, 0.6]})
    start = params.relative_start(seeded(range(50)))

    assert start.shape == (50, 4)
    assert bool((start[:, 0] == 1).all())
    assert 0.2 <= float(start[:, 1:].min()) < 0.25
    assert 0.55 < float(start[:, 1:].max()) < 0.6


def test_the_depth_in_the_law_follows_the_depth_unless_it_is_a_number() -> None:
    settings = {"depth": 3, "paths": 2, "losers": [0.2, 0.6]}

    assert AlignedPathSettings.model_validate(settings | {"law_depth": "same"}).formula_depth == 3
    assert AlignedPathSettings.model_validate(settings | {"law_depth": 5}).formula_depth == 5


def test_the_frames_of_a_target_have_orthonormal_columns_one_for_each_strength() -> None:
    params = PathMatrixSettings.model_validate(
        {
            "depth": 3,
            "law_depth": "same",
            "inputs": 5,
            "hidden": 4,
            "outputs": 3,
            "strengths": [2.0, 1.0],
            "jitter": 0.0,
        }
    )
    frames = params.frames(seeded([0, 1]))

    assert [frame.shape for frame in frames] == [(2, 3, 2), (2, 5, 2)]
    for frame in frames:
        torch.testing.assert_close(frame.mT @ frame, torch.eye(2, dtype=torch.float64).expand(2, 2, 2))
    assert params.widths == [5, 4, 4, 3]
    assert params.path_size == 5 * 4 + 4 * 4 + 4 * 3
