"""How fast the training loops are: against a user's own, against the bare matrix products, and with growing sizes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.dynamics.pathways.aligned_paths import descend_aligned
from dlnrepro.dynamics.starts.draws import gaussian
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.runner import silent
from tests.benchmarks.pairing import Row, ratio, seconds, text

WIDTHS = [4, 6, 6, 6, 3]
PATHS, RUNS, STEP_SIZE = 2, 32, 0.05


def start(runs: int, paths: int, widths: Sequence[int]) -> list[Tensor]:
    """Gaussian paths of shape (runs, paths, n_l, n_{l-1})."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(runs)]
    drawn = [gaussian(widths, 0.2, generators) for _ in range(paths)]
    return [torch.stack(layers, 1) for layers in zip(*drawn, strict=True)]


def target(runs: int, widths: Sequence[int]) -> Tensor:
    """Two modes of strength 1 and 1/2."""
    matrix = torch.zeros(widths[-1], widths[0], dtype=torch.float64)
    matrix[0, 0], matrix[1, 1] = 1.0, 0.5
    return matrix.expand(runs, -1, -1)


def training(weights: list[Tensor], goal: Tensor, steps: int) -> Callable[[], object]:
    """The project's own loop, in the mode in which the engine runs it."""

    gradient = parallel_paths.loss_gradient(goal)
    return torch.inference_mode()(
        lambda: descend(weights, gradient, lambda _: STEP_SIZE, steps, [], lambda _: {}, silent)
    )


class Paths(torch.nn.Module):
    """What a user would write for one run."""

    def __init__(self) -> None:
        super().__init__()
        self.paths = torch.nn.ModuleList(
            torch.nn.Sequential(
                *(torch.nn.Linear(a, b, bias=False, dtype=torch.float64) for a, b in itertools.pairwise(WIDTHS))
            )
            for _ in range(PATHS)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """The sum over paths."""
        outputs: Tensor = sum(path(inputs) for path in self.paths)
        return outputs


def users_loop(steps: int) -> None:
    """Modules, autograd and SGD, for one run."""
    inputs, goal = torch.eye(WIDTHS[0], dtype=torch.float64), target(1, WIDTHS)[0].T
    network = Paths()
    optimiser = torch.optim.SGD(network.parameters(), lr=STEP_SIZE)
    for _ in range(steps):
        optimiser.zero_grad()
        (0.5 * ((network(inputs) - goal) ** 2).sum()).backward()
        optimiser.step()


def bare_products(weights: list[Tensor], steps: int) -> None:
    """The matrix products of a step that cannot be avoided, and nothing else."""
    with torch.inference_mode():
        back_from = prefixes(weights)[-1].clone()
        for _ in range(steps):
            partial = prefixes(weights)
            back = back_from
            for layer in range(len(weights) - 1, 0, -1):
                _ = back @ partial[layer - 1].mT
                back = weights[layer].mT @ back


def against_a_users_loop() -> Row:
    """Row 1: per step of 32 runs, one user's network after another over one batched step."""
    weights, goal = start(RUNS, PATHS, WIDTHS), target(RUNS, WIDTHS)
    # One network of the user's for as many steps as all of ours together take: times RUNS in equal work.
    found = ratio(lambda: users_loop(400), training(weights, goal, 400), 9)
    times = tuple(RUNS * value for value in found)
    return Row("32 runs, modules and autograd one by one / compiled", text(times), "≥ 400", times[0] >= 400)  # type: ignore[arg-type]


def against_bare_products() -> Row:
    """Row 2: the same against only its matrix products by the library."""
    weights, goal = start(RUNS, PATHS, WIDTHS), target(RUNS, WIDTHS)
    found = ratio(training(weights, goal, 1500), lambda: bare_products(weights, 1500), 11)
    return Row("compiled step / its bare matrix products by torch", text(found), "≤ 1.3", found[0] <= 1.3)


def by_tensors(weights: list[Tensor], goal: Tensor, steps: int) -> Callable[[], object]:
    """The same loop through tensors, which computed all steps before there was a kernel."""
    gradient = parallel_paths.loss_gradient(goal)
    return torch.inference_mode()(
        lambda: descend(weights, lambda now: gradient(now), lambda _: STEP_SIZE, steps, [], lambda _: {}, silent)
    )


def against_tensors() -> Iterator[Row]:
    """A step through tensors over a compiled one, for sizes of the claims."""
    for runs, paths, depth, width, least in (
        (16, 2, 3, 4, 6),
        (16, 4, 3, 4, 6),
        (16, 2, 4, 6, 6),
        (16, 4, 4, 6, 6),
        (32, 4, 4, 8, 3),
        (512, 4, 4, 8, 3),
    ):
        widths = [width] * (depth + 1)
        weights, goal = start(runs, paths, widths), target(runs, widths)
        steps = 3000 if runs < 100 else 400
        found = ratio(by_tensors(weights, goal, steps), training(weights, goal, steps), 7)
        name = f"step by tensors / compiled: {runs} runs, {paths} paths, depth {depth}, n = {width}"
        yield Row(name, text(found), f"≥ {least}", found[0] >= least)


def shares_of_the_peak() -> Iterator[Row]:
    """The floating-point operations of the matrix products of a step, over those of one large product in the same time.

    A layer above the first one takes three products of matrices, and a large product is the most that a core does.
    """
    large = torch.randn(1024, 1024, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for width in range(4, 9):
        runs, paths, depth = 32, 2, 4
        widths = [width] * (depth + 1)
        operations = runs * paths * 3 * (depth - 1) * 2 * width**3
        steps = round(2 * 1024**3 / operations)
        found = ratio(lambda: large @ large, training(start(runs, paths, widths), target(runs, widths), steps), 7)
        least = 0.35
        yield Row(f"compiled step: share of the core's peak, n = {width}", text(found), "≥ 0.35", found[0] >= least)


def aligned_sweep() -> Row:
    """Seconds of 12,800 runs of the aligned model (40 x 40 points of 8 runs), two paths, depth 4, 20,000 steps."""
    begin = torch.linspace(0.1, 0.6, 12_800 * 2, dtype=torch.float64).reshape(12_800, 2)
    sizes = torch.linspace(0.05, 0.25, 12_800, dtype=torch.float64)
    took = seconds(lambda: descend_aligned(begin, 1.0, 4, sizes, 20_000, 2, (), silent))
    return Row("12,800 runs of the aligned model, 20,000 steps", f"{took:.2f} s", "≤ 20 s", took <= 20)


def exponents() -> list[Row]:
    """Row 4: the growth of the time of a step, and the growth of its operations."""
    rows = []
    sweeps: list[tuple[str, list[int], Callable[[int], tuple[int, int, list[int]]], float]] = [
        ("runs", [64, 256, 1024, 4096], lambda n: (n, 2, WIDTHS), 1.0),
        ("paths", [8, 32, 128, 512], lambda n: (16, n, WIDTHS), 1.0),
        ("depth", [4, 8, 16, 32], lambda n: (64, 2, [8] * (n + 1)), 1.0),
        ("width", [32, 64, 128, 256], lambda n: (4, 2, [n] * 5), 3.0),
    ]
    for name, sizes, shape, expected in sweeps:
        times = []
        for size in sizes:
            runs, paths, widths = shape(size)
            work = training(start(runs, paths, widths), target(runs, widths), 12)
            work()
            times.append(min(seconds(work) for _ in range(3)))
        slope = math.log(times[-1] / times[-2]) / math.log(sizes[-1] / sizes[-2])
        rows.append(
            Row(f"time ~ {name}^p, {sizes[-2]} to {sizes[-1]}", f"p = {slope:.2f}", f"operations: {expected:g}", None)
        )
    return rows


def samples() -> Row:
    """Row 4, samples: with squared loss a step knows the second moments only."""
    weights = start(RUNS, PATHS, WIDTHS)

    def steps_on(count: int) -> Callable[[], object]:
        inputs = torch.randn(WIDTHS[0], count, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        moments = inputs @ inputs.mT / count
        goal = target(RUNS, WIDTHS) @ moments
        return training(weights, goal, 800)

    found = ratio(steps_on(1_000_000), steps_on(100), 9)
    return Row("training on 1,000,000 samples / on 100 (squared loss)", text(found), "1", 0.8 <= found[0] <= 1.25)
