"""The loss, the margin and the sharpness of one chain of layers on data that somebody gives.

The predictor is f(x) = W_L ... W_1 x. Conventions, with n samples:

    squared    R = 1/(2n) sum_i ||f(x_i) - y_i||^2
    logistic   R = 1/n sum_i log(1 + exp(-y_i f(x_i))) with y_i = +-1 and one output; with several outputs and classes
               y_i = 0, 1, ..., R = 1/n sum_i (log sum_k exp f_k(x_i) - f_(y_i)(x_i)), the cross-entropy

The margin of a sample is m_i = y_i f(x_i), or f_(y_i)(x_i) minus the largest other output. A number that is not defined
is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import Tensor

from dlnrepro.dynamics.checkpoints.data_file import Data
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.networks.curvature import hessian, largest_eigenvalue
from dlnrepro.dynamics.tensors.progress import Progress

LossKind = Literal["squared", "logistic"]

DENSE = 200
"""Up to this many weights the whole Hessian is computed; for more weights, only its products with vectors."""


class DataMeasures(NamedTuple):
    """The measures of a chain of layers on data.

    Attributes:
        kind: the loss.
        loss: R.
        accuracy: the share of samples with a margin above 0, in [0, 1]; NaN for targets that are not classes.
        margin: min_i m_i; NaN for targets that are not classes.
        normalised_margin: min_i m_i / ||W_L ... W_1||_F.
        layer_margin: min_i m_i / prod_l ||W_l||_F.
        sharpness: the largest eigenvalue of the Hessian of R in all weights of the chain.
    """

    kind: LossKind
    loss: float
    accuracy: float
    margin: float
    normalised_margin: float
    layer_margin: float
    sharpness: float

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers by name."""
        return {name: float(getattr(self, name)) for name in self._fields if name != "kind"}


UNKNOWN = DataMeasures("squared", *[float("nan")] * 6)
"""The measures of a chain without data."""


def measure_on(weights: Sequence[Tensor], data: Data, kind: LossKind, progress: Progress) -> DataMeasures:
    """The measures of the layers W_1 .. W_L on data that fit them; `data_fault` says whether they do.

    Args:
        weights: float64 matrices of shape (n_l, n_(l-1)).
        data: the samples.
        kind: the loss.
        progress: called while the Hessian is computed.
    """
    inputs = torch.from_numpy(data.inputs).clone()
    margins = _margins(inputs @ product(weights).mT, data)
    worst = float(margins.min()) if margins is not None else float("nan")
    norms = torch.stack([torch.linalg.matrix_norm(weight) for weight in weights])
    risk = risk_of(data, kind)
    return DataMeasures(
        kind=kind,
        loss=float(risk([weight[None] for weight in weights])[0]),
        accuracy=float((margins > 0).double().mean()) if margins is not None else float("nan"),
        margin=worst,
        normalised_margin=worst / float(torch.linalg.matrix_norm(product(weights))),
        layer_margin=worst / float(norms.prod()),
        sharpness=sharpness_of(risk, weights, progress),
    )


def data_fault(data: Data, widths: Sequence[int], kind: LossKind) -> str:
    """Why data do not fit a chain of layers, as `expected ..., found ...`; empty if they fit."""
    if data.inputs.shape[1] != widths[0]:
        return f"expected {widths[0]} inputs, found {data.inputs.shape[1]}"
    outputs = widths[-1]
    if kind == "squared":
        found = data.targets.shape[1]
        return f"expected {outputs} targets, found {found}" if found != outputs else ""
    if data.classes is None:
        return "expected one label per sample for the logistic loss, found numbers that are not whole, or several"
    labels = sorted(set(data.classes.tolist()))
    if outputs == 1:
        return "" if set(labels) <= {-1, 1} else f"expected the labels -1 and 1, found {_some(labels)}"
    fits = labels[0] >= 0 and labels[-1] < outputs
    return "" if fits else f"expected labels from 0 to {outputs - 1}, found {_some(labels)}"


def usual_loss(data: Data, outputs: int) -> LossKind:
    """The loss for data if nobody chooses one: logistic for labels that fit the number of outputs, else squared."""
    if data.classes is None or (outputs == 1 and not data.is_binary):
        return "squared"
    return "squared" if data_fault(data, [data.inputs.shape[1], outputs], "logistic") else "logistic"


def risk_of(data: Data, kind: LossKind) -> Callable[[Sequence[Tensor]], Tensor]:
    """The function from weights, each of shape (networks, n_l, n_(l-1)), to R of each network, of shape (networks,)."""
    with torch.inference_mode(False):  # autograd cannot use tensors that are made in this mode
        inputs, targets = torch.from_numpy(data.inputs).clone(), torch.from_numpy(data.targets).clone()
        classes = torch.from_numpy(data.classes).clone() if data.classes is not None else None

    def risk(weights: Sequence[Tensor]) -> Tensor:
        outputs = inputs.expand(len(weights[0]), -1, -1) @ product(weights).mT
        if kind == "squared":
            return ((outputs - targets) ** 2).sum(-1).mean(-1) / 2
        assert classes is not None, "the logistic loss has labels"
        if outputs.shape[-1] == 1:
            return torch.nn.functional.softplus(-classes * outputs[..., 0]).mean(-1)
        right = outputs.gather(-1, classes[:, None].expand(len(outputs), -1, 1))[..., 0]
        return (torch.logsumexp(outputs, -1) - right).mean(-1)

    return risk


def _margins(outputs: Tensor, data: Data) -> Tensor | None:
    """The margin of each sample, of shape (samples,), for outputs (samples, n_L); None without labels that fit them."""
    if data.classes is None:
        return None
    classes = torch.from_numpy(data.classes)
    if outputs.shape[1] == 1:
        return classes * outputs[:, 0] if data.is_binary else None
    if int(classes.min()) < 0 or int(classes.max()) >= outputs.shape[1]:
        return None
    right = outputs.gather(1, classes[:, None])[:, 0]
    others = outputs.scatter(1, classes[:, None], -torch.inf).amax(1)
    return right - others


def sharpness_of(risk: Callable[[Sequence[Tensor]], Tensor], weights: Sequence[Tensor], progress: Progress) -> float:
    """The largest eigenvalue of the Hessian of a loss in all weights; NaN if the weights are not finite.

    Few weights: all second derivatives by autograd, then a dense solver. Many weights: the Lanczos iteration, which
    needs only products of the Hessian with vectors, also by autograd. It starts from a fixed vector.
    """
    if not all(bool(torch.isfinite(weight).all()) for weight in weights):
        return float("nan")
    if sum(weight.numel() for weight in weights) <= DENSE:
        return float(largest_eigenvalue(hessian(risk, [weight[None] for weight in weights], progress))[0])
    return _by_products(risk, weights, progress)


@torch.inference_mode(False)  # the caller may have switched autograd off
def _by_products(risk: Callable[[Sequence[Tensor]], Tensor], weights: Sequence[Tensor], progress: Progress) -> float:
    """The largest eigenvalue of the Hessian by the Lanczos iteration; NaN if it does not converge."""
    layers = [weight.detach().clone().requires_grad_() for weight in weights]
    sizes = [layer.numel() for layer in layers]
    gradients = torch.autograd.grad(risk([layer[None] for layer in layers]).sum(), layers, create_graph=True)
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    count = 0

    def times(vector: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        progress(1 - 1 / (1 + count / 50), f"product {count} with the Hessian")
        direction = torch.from_numpy(np.ascontiguousarray(vector, dtype=np.float64).reshape(-1))
        parts = torch.autograd.grad(flat, layers, direction, retain_graph=True)
        return torch.cat([part.reshape(-1) for part in parts]).numpy()

    operator = LinearOperator((sum(sizes), sum(sizes)), matvec=times, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(sum(sizes))
    try:
        return float(eigsh(operator, 1, which="LA", v0=start, tol=1e-10, return_eigenvectors=False)[0])
    except ArpackNoConvergence:
        return float("nan")


def _some(labels: Sequence[float]) -> str:
    """Some labels in words."""
    shown = ", ".join(f"{label:g}" for label in labels[:6])
    return f"{shown}, ..." if len(labels) > 6 else shown
