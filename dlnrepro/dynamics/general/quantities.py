"""Every quantity of a linear network that can be recorded, by its name.

M is the matrix of the network, M* the solution that minimises the loss, W_l the layers, sigma_k, u_k, v_k the singular
values and vectors of the target. All norms are Frobenius norms, unless a name says otherwise. A quantity of a run is a
number, a list (indexed from 1, as in `singular_values[1]`) or a matrix (as in `product[1,1]`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import torch
from torch import Tensor

from dlnrepro.dynamics.general.architecture import Architecture
from dlnrepro.dynamics.general.checks import plain_loss
from dlnrepro.dynamics.general.losses import Loss, MomentLoss
from dlnrepro.dynamics.general.margins import MaximumMargins
from dlnrepro.dynamics.networks import chain
from dlnrepro.dynamics.networks.curvature import gauss_newton, hessian, largest_eigenvalue
from dlnrepro.dynamics.networks.gaps import rank_one_gap, sine, singular_triples
from dlnrepro.dynamics.pathways.parallel_paths import shares
from dlnrepro.dynamics.risks.squared_loss import reduced_rank
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import squared_length
from dlnrepro.dynamics.tensors.processor import decomposed
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training_clocks.class_means import off_span


@dataclass(frozen=True)
class Setting:
    """What a run is trained on, and from where: the constants of its quantities.

    Attributes:
        architecture: the layers.
        loss: R.
        gradient: from parameters to dR/dV.
        start: the parameters at the start.
        target: the target by its modes, or None if it has none.
        margins: the maximum margins of two classes, or None.
        labels: the one-hot labels of the samples of the loss, or None.
        fresh: fresh inputs, of shape (runs, samples, n_0), and their classes, whole numbers (samples,), or None.
    """

    architecture: Architecture
    loss: Loss
    gradient: Callable[[Weights], Weights]
    start: Weights
    target: Target | None = None
    margins: MaximumMargins | None = None
    labels: Tensor | None = None
    fresh: tuple[Tensor, Tensor] | None = None

    @cached_property
    def best_of_ranks(self) -> list[Tensor]:
        """The matrices of rank 1, 2, .. with the least loss, one for each mode of the target."""
        loss, target = self.loss, self.target
        assert isinstance(loss, MomentLoss)
        assert target is not None
        size = loss.cross.shape[-1]
        white = torch.eye(size, dtype=torch.float64).expand(len(loss.cross), -1, -1)
        moment = white if loss.moment is None else loss.moment
        return [reduced_rank(moment, loss.cross, rank + 1) for rank in range(target.strengths.shape[-1])]

    @cached_property
    def start_imbalances(self) -> list[Tensor]:
        """The imbalances at the start."""
        return chain.imbalance(State(self, self.start).layers)

    @cached_property
    def off_span(self) -> Tensor:
        """The projection off the span of the samples, of shape (runs, n_0, n_0)."""
        return off_span(self.loss.inputs.mT)


class Quantity(NamedTuple):
    """A quantity that can be recorded.

    Attributes:
        says: its definition.
        needs: what must be there, such as `layers` (a single path) or `target`; nothing if it is empty.
        value: from a state to a tensor (runs, ...).
    """

    says: str
    needs: str
    value: Callable[[State], Tensor]


class State:
    """The parameters at one recorded point, and what several quantities compute from them, each computed once."""

    def __init__(self, setting: Setting, parameters: Weights) -> None:
        self.setting = setting
        self.parameters = parameters

    @cached_property
    def matrix(self) -> Tensor:
        """M, of shape (runs, n_L, n_0)."""
        return self.setting.architecture.matrix(self.parameters)

    @cached_property
    def log_loss(self) -> Tensor:
        """Log R, of shape (runs,)."""
        return self.setting.loss.logarithm(self.matrix)

    @cached_property
    def loss(self) -> Tensor:
        """R, of shape (runs,)."""
        return self.log_loss.exp() if self.setting.loss.by_logarithm else self.setting.loss.value(self.matrix)

    @cached_property
    def layers(self) -> Weights:
        """W_1 .. W_L of all paths; of stacked paths, each holds all paths."""
        return [layer for path in self.setting.architecture.layers(self.parameters) for layer in path]

    @cached_property
    def triples(self) -> tuple[Tensor, Tensor, Tensor]:
        """The singular value decomposition of M."""
        return singular_triples(self.matrix)

    @cached_property
    def layer_triples(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """The singular value decomposition of each layer."""
        return [singular_triples(layer) for layer in self.layers]


def observer(setting: Setting, names: Collection[str]) -> Callable[[Weights], Record]:
    """The function from parameters to the named quantities, each of shape (runs, ...).

    Args:
        setting: what the runs are trained on.
        names: names of `QUANTITIES`, or `W1`, `W2`, ... for the layers.
    """
    functions = {name: value_of(name) for name in names}

    def observe(parameters: Weights) -> Record:
        state = State(setting, parameters)
        return {name: function(state) for name, function in functions.items()}

    return observe


def value_of(name: str) -> Callable[[State], Tensor]:
    """The function of a quantity; `W2` stands for the second layer."""
    if name in QUANTITIES:
        return QUANTITIES[name].value
    return partial(_layer, index=int(name[1:]) - 1)


def _layer(state: State, index: int) -> Tensor:
    return state.layers[index]


def _norms(matrices: Sequence[Tensor]) -> Tensor:
    """The Frobenius norm of each matrix, of shape (runs, matrices)."""
    return torch.stack([torch.linalg.matrix_norm(matrix) for matrix in matrices], -1)


def _alignments(state: State) -> Tensor:
    """|<v_(l+1), u_l>| of neighbouring layers, of shape (runs, L - 1)."""
    pairs = zip(state.layer_triples, state.layer_triples[1:], strict=False)
    return torch.stack([(before[0][..., 0] * after[2][..., 0]).sum(-1).abs() for before, after in pairs], -1)


def _alignment_gaps(state: State) -> Tensor:
    """1 - |<v_(l+1), u_l>|, from the sine of the angle, so that small gaps keep their digits."""
    pairs = list(zip(state.layer_triples, state.layer_triples[1:], strict=False))
    sines = torch.stack([sine(before[0][..., 0], after[2][..., 0]) for before, after in pairs], -1)
    return sines * sines / (1 + _alignments(state))


def _stable_ranks(triples: Sequence[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    return torch.stack([(strengths * strengths).sum(-1) / strengths[..., 0] ** 2 for _, strengths, _ in triples], -1)


def _layer_spectra(state: State) -> Tensor:
    """The singular values of the layers, of shape (runs, L, most), filled up with zeros."""
    most = max(strengths.shape[-1] for _, strengths, _ in state.layer_triples)
    padded = [
        torch.nn.functional.pad(strengths, (0, most - strengths.shape[-1])) for _, strengths, _ in state.layer_triples
    ]
    return torch.stack(padded, -2)


def _drift(state: State) -> Tensor:
    """The largest change of an imbalance since the start."""
    now = chain.imbalance(state.layers)
    before = state.setting.start_imbalances
    return _norms([one - other for one, other in zip(now, before, strict=True)]).amax(-1)


def _modes(state: State) -> Tensor:
    """u_k^T M v_k, of shape (runs, modes)."""
    target = state.setting.target
    assert target is not None
    return target.carried(state.matrix)


def _path_modes(state: State) -> Tensor:
    """u_k^T M_p v_k, of shape (runs, paths, modes)."""
    target = state.setting.target
    assert target is not None
    return target.carried(state.setting.architecture.path_matrices(state.parameters))


def _distance(state: State) -> Tensor:
    """||M - M*|| / ||M*||, of shape (runs,)."""
    solution = _solution(state)
    distance: Tensor = torch.linalg.matrix_norm(state.matrix - solution) / torch.linalg.matrix_norm(solution)
    return distance


def _mode_distances(state: State) -> Tensor:
    """||M - sigma_k u_k v_k^T||, of shape (runs, modes)."""
    target = state.setting.target
    assert target is not None
    modes = [target.strengths[:, k, None, None] * target.direction(k + 1) for k in range(target.strengths.shape[-1])]
    return _norms([state.matrix - mode for mode in modes])


def _rank_distances(state: State) -> Tensor:
    """||M - M_k|| / ||M_k|| for the best solutions M_k of rank k, of shape (runs, modes)."""
    best = state.setting.best_of_ranks
    return torch.stack(
        [torch.linalg.matrix_norm(state.matrix - one) / torch.linalg.matrix_norm(one) for one in best], -1
    )


def _overlap(state: State) -> Tensor:
    """<M, Z> / ||M||."""
    target = state.setting.target
    assert target is not None
    overlap: Tensor = (target.strengths * _modes(state)).sum(-1) / torch.linalg.matrix_norm(state.matrix)
    return overlap


def _solution(state: State) -> Tensor:
    loss = state.setting.loss
    assert isinstance(loss, MomentLoss)
    return loss.solution


def _hessian(state: State) -> Tensor:
    """The eigenvalues of the Hessian of the loss in all parameters, rising, of shape (runs, parameters)."""
    loss = plain_loss(state.setting.architecture, state.setting.loss)
    whole = hessian(loss, state.parameters, lambda *_: None)
    finite = torch.isfinite(whole).all(-1).all(-1)
    values = decomposed(torch.linalg.eigvalsh, torch.where(finite[:, None, None], whole, torch.zeros_like(whole)))
    return torch.where(finite[:, None], values, torch.nan)


def _gauss_newton(state: State) -> Tensor:
    """The largest eigenvalue of J J^T, with J the Jacobian of M in all weights, of dense layers."""
    layers = state.layers
    return largest_eigenvalue(
        gauss_newton(layers if state.setting.architecture.stacked else [layer[..., None, :, :] for layer in layers])
    )


def _margins(state: State) -> MaximumMargins:
    margins = state.setting.margins
    assert margins is not None
    return margins


def _accuracy(state: State) -> Tensor:
    """The share of samples whose largest output is that of their class."""
    labels = state.setting.labels
    assert labels is not None
    found = (state.matrix @ state.setting.loss.inputs).argmax(-2)
    return (found == labels.argmax(-1)).to(torch.float64).mean(-1)


def _fresh_accuracy(state: State) -> Tensor:
    """The share of fresh inputs whose largest output is that of their class."""
    assert state.setting.fresh is not None
    inputs, classes = state.setting.fresh
    return ((inputs @ state.matrix.mT).argmax(-1) == classes).to(torch.float64).mean(-1)


def _off_span(state: State) -> Tensor:
    """||M P||^2 / ||M||^2, with P the projection off the span of the samples."""
    return squared_length([state.matrix @ state.setting.off_span]) / squared_length([state.matrix])


def _start_distance(state: State) -> Tensor:
    """||theta - theta_0|| / ||theta_0||."""
    moved = [now - before for now, before in zip(state.parameters, state.setting.start, strict=True)]
    return (squared_length(_flat(moved)) / squared_length(_flat(state.setting.start))).sqrt()


def _flat(parameters: Sequence[Tensor]) -> Weights:
    return [part.reshape(len(part), -1, part.shape[-1]) for part in parameters]


QUANTITIES: Mapping[str, Quantity] = {
    "loss": Quantity(
        "the loss R; that of the squared loss by second moments has the minimum 0",
        "",
        lambda state: state.loss,
    ),
    "log_inverse_loss": Quantity(
        "log(1/R), the natural logarithm of the inverse loss",
        "",
        lambda state: -state.log_loss,
    ),
    "product": Quantity("the matrix M of the network, a matrix (outputs, inputs)", "", lambda state: state.matrix),
    "singular_values": Quantity("the singular values of M, a falling list", "", lambda state: state.triples[1]),
    "left_vectors": Quantity("the left singular vectors of M as columns", "", lambda state: state.triples[0]),
    "right_vectors": Quantity("the right singular vectors of M as columns", "", lambda state: state.triples[2]),
    "product_norm": Quantity("||M||", "", lambda state: torch.linalg.matrix_norm(state.matrix)),
    "product_stable_rank": Quantity(
        "stable rank ||M||^2 / ||M||_2^2", "", lambda state: _stable_ranks([state.triples])[..., 0]
    ),
    "product_rank_one_gap": Quantity("1 - ||M||_2 / ||M||", "", lambda state: rank_one_gap(state.matrix)),
    "distance": Quantity("relative distance ||M - M*|| / ||M*|| from the solution M*", "solution", _distance),
    "modes": Quantity("u_k^T M v_k, a list over the modes k of the target", "target", _modes),
    "mode_distances": Quantity("||M - sigma_k u_k v_k^T||, a list over the modes k", "target", _mode_distances),
    "rank_distances": Quantity(
        "||M - M_k|| / ||M_k|| for the matrices M_k of rank k with the least loss, a list", "solution", _rank_distances
    ),
    "overlap": Quantity("overlap <M, Z> / ||M|| with the target Z", "target", _overlap),
    "layer_norms": Quantity("the norms ||W_l||, a list over the layers", "", lambda state: _norms(state.layers)),
    "layer_spectral_norms": Quantity(
        "the largest singular value of each layer, a list",
        "",
        lambda state: torch.stack([strengths[..., 0] for _, strengths, _ in state.layer_triples], -1),
    ),
    "layer_singular_values": Quantity(
        "the singular values of the layers, a matrix (layers, values)", "layers", _layer_spectra
    ),
    "stable_ranks": Quantity(
        "stable rank ||W_l||^2 / ||W_l||_2^2 of each layer, a list",
        "",
        lambda state: _stable_ranks(state.layer_triples),
    ),
    "rank_one_gaps": Quantity(
        "1 - ||W_l||_2 / ||W_l|| of each layer, a list",
        "",
        lambda state: torch.stack([rank_one_gap(layer) for layer in state.layers], -1),
    ),
    "alignments": Quantity(
        "|<v_1(W_(l+1)), u_1(W_l)>| of neighbouring layers, a list in [0, 1]", "layers", _alignments
    ),
    "alignment_gaps": Quantity(
        "1 - |<v_1(W_(l+1)), u_1(W_l)>| of neighbouring layers, a list in [0, 1]", "layers", _alignment_gaps
    ),
    "imbalances": Quantity(
        "the norms ||W_(l+1)^T W_(l+1) - W_l W_l^T||, a list",
        "layers",
        lambda state: _norms(chain.imbalance(state.layers)),
    ),
    "imbalance": Quantity(
        "the largest ||W_(l+1)^T W_(l+1) - W_l W_l^T||", "layers", lambda state: chain.largest_imbalance(state.layers)
    ),
    "relative_imbalance": Quantity(
        "the largest ||W_(l+1)^T W_(l+1) - W_l W_l^T|| over ||W_1||^2",
        "layers",
        lambda state: chain.relative_imbalance(state.layers),
    ),
    "imbalance_drift": Quantity(
        "the largest change of a matrix W_(l+1)^T W_(l+1) - W_l W_l^T since the start, its norm", "layers", _drift
    ),
    "weight_norm": Quantity(
        "the norm of all parameters together", "", lambda state: squared_length(_flat(state.parameters)).sqrt()
    ),
    "weight_change": Quantity(
        "the distance of all parameters from their start, over the norm of the start", "", _start_distance
    ),
    "gradient_norm": Quantity(
        "the norm of the gradient of the loss in all parameters",
        "",
        lambda state: squared_length(_flat(state.setting.gradient(state.parameters))).sqrt(),
    ),
    "sharpness": Quantity(
        "the largest eigenvalue of the Hessian of the loss in all parameters",
        "curvature",
        lambda state: _hessian(state)[:, -1],
    ),
    "hessian_eigenvalues": Quantity(
        "the eigenvalues of the Hessian of the loss in all parameters, a falling list",
        "curvature",
        lambda state: _hessian(state).flip(-1),
    ),
    "gauss_newton_sharpness": Quantity(
        "the largest eigenvalue of J J^T, with J the Jacobian of M in all weights: the sharpness at zero loss on white"
        " inputs",
        "dense",
        _gauss_newton,
    ),
    "path_norms": Quantity(
        "the norm of the matrix M_p of each path, a list",
        "",
        lambda state: torch.linalg.matrix_norm(state.setting.architecture.path_matrices(state.parameters)),
    ),
    "path_modes": Quantity("u_k^T M_p v_k, a matrix (paths, modes)", "target", _path_modes),
    "path_shares": Quantity(
        "the share |u_k^T M_p v_k| / sum_r |u_k^T M_r v_k| of each path in a mode, a matrix (paths, modes)",
        "target",
        lambda state: shares(_path_modes(state)),
    ),
    "largest_shares": Quantity(
        "the largest share of one path in each mode, a list",
        "target",
        lambda state: shares(_path_modes(state)).amax(-2),
    ),
    "margin": Quantity(
        "the margin min_i y_i <w, x_i> / ||w|| of the predictor w",
        "margin",
        lambda state: _margins(state).margin_of(state.matrix[:, 0]),
    ),
    "margin_gap": Quantity(
        "1 minus the margin of the predictor over the maximum margin",
        "margin",
        lambda state: _margins(state).gap_of(state.matrix[:, 0]),
    ),
    "direction_gap": Quantity(
        "the sine of the angle between the predictor and the maximum-margin direction",
        "margin",
        lambda state: _margins(state).sine_to(state.matrix[:, 0]),
    ),
    "fresh_accuracy": Quantity(
        "the share of fresh inputs whose largest output is that of their class", "fresh", _fresh_accuracy
    ),
    "off_span_share": Quantity("the share of ||M||^2 off the span of the samples", "samples", _off_span),
    "accuracy": Quantity("the share of samples whose largest output is that of their class", "labels", _accuracy),
}
"""Each quantity by its name; `step` and `time` are always recorded, and `W1`, `W2`, ... are the layers themselves."""
