"""Recorded quantities: shapes, and values that closed forms give."""

from __future__ import annotations

import itertools

import pytest
import torch

from dlnrepro.dynamics.general.architecture import Architecture
from dlnrepro.dynamics.general.losses import moment_loss
from dlnrepro.dynamics.general.quantities import QUANTITIES, Setting, State, observer, value_of
from dlnrepro.dynamics.general.shapes import Sizes, shape_of
from dlnrepro.dynamics.starts.balanced import balanced_layers
from dlnrepro.dynamics.starts.draws import gaussian, normal
from dlnrepro.dynamics.starts.targets import rotated
from dlnrepro.dynamics.tensors.arrays import Weights
from tests.runners.running import seeded

RUNS = [0, 1, 2]
WIDTHS = (4, 5, 5, 3)
STRENGTHS = torch.tensor([2.0, 1.0, 0.5], dtype=torch.float64).expand(3, -1)


def setting(parameters: Weights, paths: int = 1) -> Setting:
    """A regression on white inputs with three modes."""
    target = rotated(3, 4, STRENGTHS, seeded(RUNS))
    architecture, loss = Architecture((WIDTHS,) * paths), moment_loss(target.matrix, None)
    return Setting(architecture, loss, architecture.gradient(loss.slope), parameters, target)


def solved() -> tuple[Setting, Weights]:
    """Balanced layers whose product is the target."""
    target = rotated(3, 4, STRENGTHS, seeded(RUNS))
    weights = balanced_layers(target.left, STRENGTHS, target.right[..., :3], WIDTHS[1:-1], seeded([7, 8, 9]))
    return setting(weights), weights


@pytest.mark.parametrize(
    "name", [name for name, item in QUANTITIES.items() if item.needs in ("", "layers", "dense", "target", "solution")]
)
def test_every_quantity_has_the_shape_that_is_said(name: str) -> None:
    weights = gaussian(WIDTHS, 1.0, seeded(RUNS))
    layers = tuple((after, before) for before, after in itertools.pairwise(WIDTHS))
    sizes = Sizes(3, 4, layers, 3, 1, False, 3, sum(rows * columns for rows, columns in layers))

    found = observer(setting(weights), [name])(weights)[name]

    assert found.shape == (3, *shape_of(name, sizes))
    assert bool(torch.isfinite(found).all())


def test_the_sharpness_of_a_balanced_solution_is_its_closed_form_by_both_routes() -> None:
    where, weights = solved()

    found = observer(where, ["sharpness", "gauss_newton_sharpness", "hessian_eigenvalues"])(weights)

    expected = torch.full((3,), 3 * 2.0 ** (4 / 3), dtype=torch.float64)
    torch.testing.assert_close(found["sharpness"], expected)
    torch.testing.assert_close(found["gauss_newton_sharpness"], expected)
    torch.testing.assert_close(found["hessian_eigenvalues"][:, 0], expected)


def test_a_balanced_solution_has_aligned_layers_with_the_roots_of_the_strengths() -> None:
    where, weights = solved()
    names = ["loss", "distance", "imbalance", "alignments", "alignment_gaps", "layer_singular_values", "modes"]

    found = observer(where, names)(weights)

    assert float(found["loss"].max()) < 1e-28
    assert float(found["distance"].max()) < 1e-14
    assert float(found["imbalance"].max()) < 1e-14
    torch.testing.assert_close(found["alignments"], torch.ones(3, 2, dtype=torch.float64))
    assert float(found["alignment_gaps"].max()) < 1e-27
    torch.testing.assert_close(found["layer_singular_values"][:, 1, :3], STRENGTHS ** (1 / 3))
    torch.testing.assert_close(found["modes"], STRENGTHS)


def test_distances_from_ranks_vanish_at_the_best_matrix_of_that_rank() -> None:
    target = rotated(3, 4, STRENGTHS, seeded(RUNS))
    best = target.with_strengths(STRENGTHS[:, :2])
    loss = moment_loss(target.matrix, None)
    architecture = Architecture(((4, 3),))
    where = Setting(architecture, loss, architecture.gradient(loss.slope), [best], target)

    found = observer(where, ["rank_distances", "mode_distances"])([best])

    assert float(found["rank_distances"][:, 1].max()) < 1e-14
    torch.testing.assert_close(found["mode_distances"][:, 0], STRENGTHS[:, 1])


def test_shares_of_paths_add_up_to_one_in_every_mode() -> None:
    weights = [
        torch.stack([normal(shape, seeded(RUNS)), normal(shape, seeded([3, 4, 5]))], 1)
        for shape in ((5, 4), (5, 5), (3, 5))
    ]

    found = observer(setting(weights, 2), ["path_shares", "largest_shares"])(weights)

    torch.testing.assert_close(found["path_shares"].sum(1), torch.ones(3, 3, dtype=torch.float64))
    assert torch.equal(found["path_shares"].amax(1), found["largest_shares"])


def test_a_layer_is_recorded_by_its_number() -> None:
    weights = gaussian(WIDTHS, 1.0, seeded(RUNS))

    assert torch.equal(value_of("W2")(State(setting(weights), weights)), weights[1])


def test_a_run_that_is_lost_is_nan_and_changes_no_other_run() -> None:
    weights = gaussian(WIDTHS, 1.0, seeded(RUNS))
    lost = [torch.cat([weight[:1] * torch.nan, weight[1:]]) for weight in weights]
    names = ["loss", "singular_values", "sharpness", "gauss_newton_sharpness", "layer_norms", "rank_one_gaps"]

    found, expected = (observer(setting(now), names)(now) for now in (lost, weights))

    for name in names:
        assert bool(torch.isnan(found[name][0]).all()), name
        torch.testing.assert_close(found[name][1:], expected[name][1:])
