"""A second route to gradients: a plain forward pass of samples, layer after layer, and autograd.

It shares no code with `architecture`, `losses` or the descents: no product of layers is formed, and paths and layers
are plain loops. Each run of the general runner compares its own gradients with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dlnrepro.errors import Disagreement

LossOfOutputs = Callable[[Tensor], Tensor]
"""From outputs as columns, of shape (runs, n_L, samples), to one number per run."""

ROUNDING = 1e-9
"""The difference of two routes to the gradient that rounding may leave, over its norm."""


def plain_outputs(
    parameters: Sequence[Tensor], depths: Sequence[int], filling: str, skip: bool, stacked: bool, signal: Tensor
) -> Tensor:
    """The outputs of a linear network for samples, by a forward pass, of shape (runs, n_L, samples).

    Args:
        parameters: of every path in turn, or of stacked paths.
        depths: the number of layers of each path.
        filling: `dense`, `diagonal` or `shared`, as in `architecture`.
        skip: whether the identity is added to every layer.
        stacked: whether the parameters hold all paths.
        signal: the inputs as columns, of shape (runs, n_0, samples).
    """
    outputs, used = [], 0
    for path, depth in enumerate(depths):
        passed = signal
        first = 0 if stacked else used
        for layer in range(depth):
            parameter = parameters[first + (0 if filling == "shared" else layer)]
            weight = parameter[:, path] if stacked else parameter
            diagonal = weight.diagonal(dim1=-2, dim2=-1)[..., None]
            onward = diagonal * passed if filling == "diagonal" else weight @ passed
            passed = passed + onward if skip else onward
        used += 1 if filling == "shared" else depth
        outputs.append(passed)
    return sum(outputs[1:], outputs[0])


def check_gradients(found: Sequence[Tensor], plain: Sequence[Tensor], floor: Tensor, what: str) -> None:
    """Compare gradients by two routes, relative to the norm of the whole gradient of each run.

    Args:
        found: of the program, one tensor per parameter, of shape (runs, ...).
        plain: by autograd, in the same shapes.
        floor: a size below which the norm of a gradient is rounding, of shape (runs,); the difference may be
            ROUNDING times this size too.
        what: names the place in the message, such as `the gradient at step 3`.

    Raises:
        Disagreement: they differ by more than rounding in some run.
    """
    apart = torch.cat([(one - other).flatten(1) for one, other in zip(found, plain, strict=True)], -1)
    whole = torch.cat([other.flatten(1) for other in plain], -1)
    size = torch.maximum(torch.linalg.vector_norm(whole, dim=-1), floor)
    distance = torch.linalg.vector_norm(apart, dim=-1) / size
    finite = torch.isfinite(distance)
    worst = float(torch.where(finite, distance, torch.zeros_like(distance)).max())
    if not worst <= ROUNDING:
        share = f"{worst:.1e}".replace("e-0", "e-")
        raise Disagreement(
            f"{what}: expected a relative difference of at most {ROUNDING:g} from the gradient by autograd, found"
            f" {share}"
        )
