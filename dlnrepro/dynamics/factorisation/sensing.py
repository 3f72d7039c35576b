"""Gradient flow of a balanced deep network that fits one linear measurement of its product, and its end.

R = 1/2 (<A, W> - y)^2 with A = sum_r a_r u_r v_r^T, W = W_L ... W_1, and the initialization (start)
W = alpha sum_r u_r v_r^T. The singular values of W move by sigma_r' = -L sigma_r^(2-2/L) a_r (<A, W> - y). With
p = 1 - 2/L, the quantity

    (sigma_r - alpha) / a_r        for L = 1,
    log(sigma_r / alpha) / a_r     for L = 2,
    (alpha^-p - sigma_r^-p) / a_r  for L >= 3

is therefore the same for all r at all times, and sum_r a_r sigma_r = y determines the end. As alpha vanishes, sigma_2 /
sigma_1 tends to a_2 / a_1 for one layer, vanishes as alpha^(1 - a_2/a_1) for two layers, and as alpha for more.

Source: the motion of singular values is that of Arora, Cohen, Hu, Luo 2019 (arXiv:1905.13655); the conserved quantities
and exponents are derived here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.fits.bisection import bisect
from dlnrepro.dynamics.networks.plain import Loss
from dlnrepro.dynamics.starts.balanced import hidden_frames, isometric_layers
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.arrays import Array, array_of


def sensing_start(
    sensor: Target, starts: Tensor, hidden: Sequence[int], generators: Sequence[Generator]
) -> list[Tensor]:
    """Balanced layers W_1 .. W_L of alpha sum_r u_r v_r^T for every alpha, with hidden frames that all alphas share.

    Args:
        sensor: A, which has the singular vectors u_r and v_r.
        starts: the scales alpha, of shape (points,).
        hidden: n_1 .. n_(L-1), each at least the number of modes; empty for a single layer.
        generators: one per run.

    Returns:
        W_l of shape (runs, points, n_l, n_(l-1)).
    """
    modes = sensor.strengths.shape[-1]
    frames = [sensor.right[..., :modes], *hidden_frames(hidden, modes, generators), sensor.left[..., :modes]]
    return isometric_layers([frame[:, None] for frame in frames], starts.expand(len(generators), -1))


def sensing_field(sensors: Tensor, value: float) -> Callable[[int, Array], Array]:
    """The function from the index of a run and its product W to dR/dW = (<A, W> - y) A.

    Args:
        sensors: A, of shape (runs, n_L, n_0).
        value: y.
    """
    matrices = array_of(sensors)

    def field(run: int, product: Array) -> Array:
        gradient: Array = ((matrices[run] * product).sum() - value) * matrices[run]
        return gradient

    return field


def sensing_loss(sensors: Tensor, value: float) -> Loss:
    """The loss 1/2 (<A, W> - y)^2 of networks of shape (runs, ...), from the outputs of the network for unit inputs.

    Args:
        sensors: A, of shape (runs, n_L, n_0).
        value: y.
    """

    def loss(weights: Sequence[Tensor]) -> Tensor:
        signal = torch.eye(sensors.shape[-1], dtype=sensors.dtype)
        for weight in weights:
            signal = weight @ signal
        return ((sensors.clone() * signal).sum((-2, -1)) - value).square() / 2

    return loss


def random_start(widths: Sequence[int], starts: Tensor, generators: Sequence[Generator]) -> list[Tensor]:
    """Gaussian layers whose product has entries of order alpha, from one draw that all alphas share.

    Args:
        widths: n_0 .. n_L.
        starts: the scales alpha, of shape (points,).
        generators: one per run.

    Returns:
        W_l of shape (runs, points, n_l, n_(l-1)), with the standard deviation alpha^(1/L) / sqrt(n_(l-1)).
    """
    roots = starts[:, None, None] ** (1 / (len(widths) - 1))
    return [roots * layer[:, None] for layer in gaussian(widths, 1.0, generators)]


def sensed_ends(measured: Tensor, value: float, starts: Tensor, depth: int) -> Tensor:
    """`sensed_end` of every run and every initialization, of shape (runs, points, modes).

    Args:
        measured: a_r in falling order, of shape (runs, modes).
        value: y.
        starts: the scales alpha, of shape (points,).
        depth: L >= 1.
    """
    return torch.stack(
        [torch.stack([sensed_end(row, value, float(start), depth) for start in starts]) for row in measured]
    )


def sensed_end(measured: Tensor, value: float, start: float, depth: int) -> Tensor:
    """The singular values sigma_r at the end of the flow, by the conserved quantities of the module.

    Args:
        measured: a_r > 0 in falling order, of shape (modes,).
        value: y, above alpha sum_r a_r.
        start: alpha > 0.
        depth: L >= 1.

    Returns:
        sigma_r, of shape (modes,), in the order of a_r.
    """
    relative = measured / measured[0]
    power = 1 - 2 / depth

    def values(first: Tensor) -> Tensor:
        """All singular values from the first one, by the conserved quantity."""
        if depth == 1:
            return start + relative * (first - start)
        if depth == 2:
            return start * (first / start) ** relative
        inverse = start**-power - relative * (start**-power - first**-power)
        kept: Tensor = inverse ** (-1 / power)
        return kept

    def excess(first: Tensor) -> Tensor:
        return (measured * values(first)).sum().reshape(1) - value

    first = bisect(excess, measured.new_tensor([start]), (value / measured[0]).reshape(1))
    return values(first)


def escape_times(measured: Tensor, value: float, starts: Tensor, depth: int) -> Tensor:
    """The escape time of the first mode from a small initialization, where sigma_1' = L sigma_1^(2-2/L) a_1 y.

    It is ln(1/alpha) / (2 a_1 y) for L = 2, alpha^(2/L-1) / ((L-2) a_1 y) for L >= 3, and 0 for L = 1.

    Args:
        measured: a_r in falling order, of shape (modes,).
        value: y.
        starts: the scales alpha, of shape (points,).
        depth: L >= 1.

    Returns:
        Shape (points,).
    """
    if depth == 1:
        return torch.zeros_like(starts)
    pace = measured[0] * value
    if depth == 2:
        return -starts.log() / (2 * pace)
    return starts ** (2 / depth - 1) / ((depth - 2) * pace)


def gap_exponents(measured: Tensor, depth: int) -> Tensor:
    """The power of a vanishing alpha in sigma_2 / sigma_1 at the end: 0 for L = 1, 1 - a_2/a_1 for L = 2, and else 1.

    Args:
        measured: a_r in falling order, of shape (runs, modes).
        depth: L >= 1.

    Returns:
        Shape (runs,).
    """
    if depth == 2:
        return 1 - measured[:, 1] / measured[:, 0]
    return torch.full_like(measured[:, 0], 0.0 if depth == 1 else 1.0)
