"""A few steps of training as a user of PyTorch would write them: layers, losses, autograd and optimisers of torch.

The optimisers are called as the functions `torch.optim.sgd.sgd` and `torch.optim.adam.adam`. Their classes would import
torch's compiler, which takes three seconds in every process.

This is a second route to the first steps of a descent. It shares no code with the gradients and the steps of this
program. Conventions: weights W_1 .. W_L have shape (runs, n_l, n_(l-1)), and the losses of all runs are added, so that
each run has its own gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from dlnrepro.dynamics.tensors.per_run import squared_length

_ONE_BY_ONE: dict[str, Any] = {"foreach": False, "fused": False}
"""The parameters are moved one after another."""

Objective = Callable[[Sequence[Tensor]], Tensor]
"""A function from weights to one loss per run, of shape (runs,)."""


def cross_entropy(x: Tensor, labels: Tensor) -> Objective:
    """The mean cross-entropy of a linear classifier.

    Args:
        x: inputs, of shape (runs, samples, n_0).
        labels: the classes of the inputs, whole numbers of shape (runs, samples).
    """
    inputs, wanted = x.clone(), labels.clone()

    def loss(weights: Sequence[Tensor]) -> Tensor:
        logits = _outputs(weights, inputs)
        each = torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none")
        return each.view(wanted.shape).mean(-1)

    return loss


def squared_fit(target: Tensor) -> Objective:
    """The loss 1/2 ||W_L ... W_1 - M||_F^2 for a target M of shape (runs, n_L, n_0)."""
    wanted = target.clone()
    units = torch.eye(wanted.shape[-1], dtype=torch.float64).expand(len(wanted), -1, -1)
    return lambda weights: 0.5 * (_outputs(weights, units) - wanted.mT).square().sum((-2, -1))


@torch.inference_mode(False)  # the caller may have switched autograd off
def optimised(
    weights: Sequence[Tensor],
    objective: Callable[[], Objective],
    optimiser: Callable[[list[Tensor]], Steps],
    steps: int,
) -> list[Tensor]:
    """The weights after some steps of an optimiser of torch.

    Args:
        weights: the initial weights, which are left unchanged.
        objective: makes the loss, in the mode of torch in which autograd works.
        optimiser: makes the optimiser of the given parameters.
        steps: the number of steps.
    """
    free = [weight.clone().requires_grad_() for weight in weights]
    loss, rule = objective(), optimiser(free)
    for _ in range(steps):
        for weight, slope in zip(free, torch.autograd.grad(loss(free).sum(), free), strict=True):
            weight.grad = slope
        rule.step()
    return [weight.detach() for weight in free]


@torch.inference_mode(False)
def loss_path(
    weights: Sequence[Tensor],
    objective: Callable[[], Objective],
    optimiser: Callable[[list[Tensor]], Steps],
    steps: int,
) -> Tensor:
    """The losses before each of some steps of an optimiser and after the last one, of shape (steps + 1, runs).

    The arguments are those of `optimised`.
    """
    free = [weight.clone().requires_grad_() for weight in weights]
    loss, rule, path = objective(), optimiser(free), []
    for _ in range(steps + 1):
        values = loss(free)
        path.append(values.detach())
        for weight, slope in zip(free, torch.autograd.grad(values.sum(), free), strict=True):
            weight.grad = slope
        rule.step()
    return torch.stack(path)


class Steps(Protocol):
    """What moves parameters by their gradients."""

    def step(self) -> None:
        """Take one step."""


class DescentSteps:
    """Steps of gradient descent with weight decay, by torch.

    Args:
        parameters: the weights.
        lr: the step size.
        weight_decay: the factor lambda of the weights that is added to the gradient.
    """

    def __init__(self, parameters: list[Tensor], lr: float, weight_decay: float = 0.0) -> None:
        self.parameters = parameters
        self.options: dict[str, Any] = {"lr": lr, "weight_decay": weight_decay, "momentum": 0.0, "dampening": 0.0}

    @torch.no_grad()
    def step(self) -> None:
        """Take one step."""
        sgd(self.parameters, _slopes(self.parameters), [None] * len(self.parameters), **_ONE_BY_ONE, **self.options,
            nesterov=False, maximize=False)  # fmt: skip


class AdamSteps:
    """Steps of Adam, by torch.

    Args:
        parameters: the weights.
        lr: the step size.
        memory: the factor of the average of squares; that of the average of gradients is 0.9.
        eps: the number that is added to the root of the average of squares.
    """

    def __init__(self, parameters: list[Tensor], lr: float, memory: float, eps: float) -> None:
        self.parameters = parameters
        self.options: dict[str, Any] = {"lr": lr, "beta1": 0.9, "beta2": memory, "eps": eps, "weight_decay": 0.0}
        self.first = [torch.zeros_like(weight) for weight in parameters]
        self.second = [torch.zeros_like(weight) for weight in parameters]
        self.counts = [torch.zeros((), dtype=torch.float64) for _ in parameters]

    @torch.no_grad()
    def step(self) -> None:
        """Take one step."""
        adam(self.parameters, _slopes(self.parameters), self.first, self.second, [], self.counts, **_ONE_BY_ONE,
             **self.options, amsgrad=False, maximize=False)  # fmt: skip


class NormalisedSteps:
    """Steps -eta g / |g|^2, where g are the gradients of all layers of a run; they lower a loss by eta to first order.

    Args:
        parameters: the weights, each of shape (runs, rows, columns).
        lr: eta.
    """

    def __init__(self, parameters: list[Tensor], lr: float) -> None:
        self.parameters = parameters
        self.lr = lr

    @torch.no_grad()
    def step(self) -> None:
        """Take one step."""
        slopes = _slopes(self.parameters)
        total = torch.stack([slope.square().sum((-2, -1)) for slope in slopes]).sum(0)
        for weight, slope in zip(self.parameters, slopes, strict=True):
            weight -= self.lr * slope / total[:, None, None]


def _slopes(parameters: Sequence[Tensor]) -> list[Tensor]:
    """The gradients of the parameters."""
    return [weight.grad for weight in parameters if weight.grad is not None]


def move_error(start: Sequence[Tensor], found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """The distance of two ends of a descent relative to the length of the descent, of shape (runs, ...).

    Args:
        start: the weights before the descent, each of shape (runs, ..., rows, columns).
        found: the weights after it.
        wanted: the weights after it by the other route.
    """
    gap = squared_length([one - other for one, other in zip(found, wanted, strict=True)])
    way = squared_length([other - old for other, old in zip(wanted, start, strict=True)])
    return (gap / way).sqrt()


def _outputs(weights: Sequence[Tensor], inputs: Tensor) -> Tensor:
    """The outputs of linear layers, of shape (runs, samples, n_L)."""
    outputs = inputs
    for weight in weights:
        outputs = torch.einsum("rsi,roi->rso", outputs, weight)
    return outputs
