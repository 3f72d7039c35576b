"""Lines of a known rate through the points that they are drawn through."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.fits.lines import exponential_line, first_inside, last_inside

INSIDE = torch.tensor([[False, True, True, False], [False, False, False, False]])


def test_a_line_through_any_point_of_an_exponential_is_the_exponential() -> None:
    positions = torch.tensor([0.0, 0.5, 1.5, 4.0], dtype=torch.float64)
    rates = torch.tensor([-0.7, 0.3], dtype=torch.float64)
    values = torch.stack([3 * torch.exp(-0.7 * positions), 0.2 * torch.exp(0.3 * positions)])

    for anchors in (torch.tensor(-1), torch.tensor(2), torch.tensor([0, 3]), torch.tensor([-2, 1])):
        torch.testing.assert_close(exponential_line(positions, values, rates, anchors), values, rtol=1e-14, atol=0)


def test_a_line_goes_through_its_point_of_each_run_and_no_other_point_matters() -> None:
    positions = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64).log()
    values = torch.tensor([[5.0, 3.0, torch.nan], [7.0, torch.nan, 2.0]], dtype=torch.float64)
    found = exponential_line(positions, values, torch.tensor([2.0, -1.0], dtype=torch.float64), torch.tensor([1, -1]))

    expected = torch.tensor([[0.75, 3.0, 12.0], [8.0, 4.0, 2.0]], dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)


def test_the_first_and_the_last_point_inside_are_the_ends_where_none_is_inside() -> None:
    assert first_inside(INSIDE).tolist() == [1, 0]
    assert last_inside(INSIDE).tolist() == [2, -1]
