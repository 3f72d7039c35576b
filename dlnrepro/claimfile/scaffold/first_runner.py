"""The text of a first runner of a user: a package of one file, and the claim that it tests.

It trains two scalars whose product must reach a target. It is small, so that it can be replaced line by line, and
complete, so that it can be run at once.
"""

from __future__ import annotations

RUNNER = '''\
"""Gradient descent on two scalars whose product must reach a target. Replace it by the experiment of your claim."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field

from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.runner import Progress, Result, Series
from dlnrepro.settings.base import Settings


class Params(Settings):
    """Every parameter has a range and a description, and none has a default: a claim gives a value to each of them."""

    target: float = Field(gt=0, le=100, description="the value that the product must reach")
    start: float = Field(gt=0, le=1, description="standard deviation of the weights at initialization")
    step_size: float = Field(gt=0, le=1, description="the step size of gradient descent")
    steps: int = Field(ge=1, le=10**6, description="the number of steps of gradient descent")

    def numbers(self) -> int:
        """An upper estimate of how many numbers one run holds at its peak: here the recorded products, and copies."""
        return 3 * (self.steps + 1)


# A measure is one number per run. Each has its definition with its range.
MEASURES = {"gap": "|u v - target| / target after the last step, at least 0"}

# A series is one number per run and point. Each has the axis of its points and its definition. A series that is the
# same for all runs needs one number per point only.
SERIES = {
    "step": Series("step", "the number of the step"),
    "product": Series("step", "u v after each step"),
}


def run(params: Params, generators: Sequence[torch.Generator], progress: Progress) -> Result:
    """Train one run per generator, all together, and measure it.

    Draw only from these generators, so that a run can be repeated. Torch's inference mode is on: write gradients as
    formulas, as here, or leave the mode with `torch.inference_mode(False)` and clone the tensors for autograd.
    """
    first, second = (params.start * normal((2,), generators)).unbind(-1)
    products = [first * second]
    for step in range(params.steps):
        if step % 100 == 0:
            progress(step / params.steps, f"step {step} of {params.steps}")
        residual = products[-1] - params.target
        first, second = first - params.step_size * residual * second, second - params.step_size * residual * first
        products.append(first * second)
    product = torch.stack(products, dim=-1)
    points = torch.linspace(0, params.steps, min(params.steps + 1, 100)).long()
    gap = (product[:, -1] - params.target).abs() / params.target
    return Result({"gap": gap}, {"step": points.double(), "product": product[:, points]})
'''

PACKAGE = """\
# `pip install --editable .` registers the runner in dlnrepro; claims use the name of the entry below.
[build-system]
requires = ["hatchling>=1.25"]
build-backend = "hatchling.build"

[project]
name = "{package}"
version = "0.1"

[project.entry-points."dlnrepro.runners"]
{runner} = "{runner}"

[tool.hatch.build.targets.wheel]
only-include = ["{runner}.py"]
"""

CLAIM = {
    "setup": {"target": 2.0, "start": 0.1, "step_size": 0.05, "steps": 1000},
    "arms": {"trained": {}, "too-few-steps": {"steps": 5}},
    "criterion": {
        "id": "reaches-target",
        "measure": "gap",
        "at_most": 1e-6,
        "holds_in": ["trained"],
        "fails_in": ["too-few-steps"],
    },
    "quick": {},
}
"""The settings, arms and criterion of the claim that comes with the runner."""
