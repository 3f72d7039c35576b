"""What a runner returns: series that are the same for all runs are given once."""

from __future__ import annotations

import torch

from dlnrepro.runner import Result


def test_a_series_given_once_is_repeated_for_every_run() -> None:
    measure = torch.zeros(3, dtype=torch.float64)
    times, path = torch.linspace(0, 1, 4, dtype=torch.float64), torch.ones(3, 4, dtype=torch.float64)

    result = Result({"error": measure}, {"time": times, "path": path})

    assert torch.equal(result.series["time"], torch.stack([times] * 3))
    assert result.series["path"] is path


def test_a_result_without_a_clear_number_of_runs_is_left_to_the_engine_to_refuse() -> None:
    times = torch.linspace(0, 1, 4, dtype=torch.float64)

    result = Result({"one": torch.zeros(3), "other": torch.zeros(2)}, {"time": times})

    assert result.series["time"].shape == (4,)
