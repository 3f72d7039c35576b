"""Fits of a drift: given onsets and powers are found again, and what is missing is named as such."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.pathways.drift_fits import farthest_ratio, onset, restoration

NAN = torch.nan
RATIOS = torch.linspace(2.15, 2.4, 6, dtype=torch.float64)
SCALES = torch.tensor([0.1, 0.2, 0.4, 0.8], dtype=torch.float64)


def _numbers(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_the_onset_is_where_a_given_drift_vanishes() -> None:
    gap, slope = onset((0.5 * (RATIOS - 2.03) - 0.2 * (RATIOS - 2.03) ** 2).expand(2, -1), RATIOS)

    torch.testing.assert_close(gap, _numbers(0.015, 0.015), rtol=1e-9, atol=0)
    torch.testing.assert_close(slope, _numbers(0.5, 0.5), rtol=1e-6, atol=0)


def test_without_a_drift_or_a_sweep_there_is_no_onset() -> None:
    drift = torch.stack([RATIOS - 2, torch.where(RATIOS > 2.3, NAN, RATIOS - 2)])

    found = torch.stack(onset(drift, RATIOS))
    assert bool(torch.isfinite(found[:, 0]).all())
    assert bool(found[:, 1].isnan().all())
    assert bool(torch.stack(onset(drift[:1], RATIOS[-1:].expand(6))).isnan().all())


def test_a_power_of_the_scale_and_a_rise_with_the_lag_are_found_again() -> None:
    times = torch.stack([3 * SCALES**-2, _numbers(1, 2, 3, NAN)])
    exponent, rise = restoration(times, 0.5 * SCALES[None] ** -2 * _numbers(1, 1)[:, None], SCALES)

    torch.testing.assert_close(exponent, _numbers(-2, NAN), equal_nan=True)
    torch.testing.assert_close(rise, _numbers(6, NAN), equal_nan=True)
    assert bool(torch.stack(restoration(times[:1], times[:1], SCALES[:1].expand(4))).isnan().all())


def test_the_ratio_farthest_from_one_is_missing_where_drift_or_law_are_missing() -> None:
    drift = torch.stack([_numbers(1.1, 0.98, 1.3), _numbers(1.1, NAN, 1.3), _numbers(1.1, 0.98, 0.0)])

    torch.testing.assert_close(farthest_ratio(drift, _numbers(1, 1, 1)), _numbers(1.3, NAN, 0), equal_nan=True)
    assert bool(farthest_ratio(drift[:1], _numbers(1, 0, 1)).isnan())
