"""What a GPU does: how much of its arithmetic a step reaches, a phase diagram, and verdicts on GPU and processor.

    python -m tests.benchmarks.on_a_gpu rates                  the share of the card's rate that a step reaches
    python -m tests.benchmarks.on_a_gpu diagram cuda           1,600 points of random_pathways with 8 runs each
    python -m tests.benchmarks.on_a_gpu diagram cpu 16         the same on 16 cores
    python -m tests.benchmarks.on_a_gpu compare DIR OTHER      verdicts and numbers of two folders of reports

`tests/on_gpu.sh` calls all of them. On a machine without a GPU `rates cpu` and `diagram cpu` can be tried.
"""

from __future__ import annotations

import itertools
import json
import math
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlnrepro.compute.device import computing_on
from dlnrepro.dynamics.networks.chain import prefixes
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.dynamics.pathways.closed_forms import single_path_sharpness
from dlnrepro.dynamics.pathways.path_draws import gaussian_paths
from dlnrepro.dynamics.starts.draws import orthonormal
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.training.descent import descend, descend_with_memory
from dlnrepro.runner import silent

RATE_RUNS, RATE_PATHS, RATE_DEPTH = 10_000, 2, 4
SIDE, RUNS = 40, 8
WIDTHS, STRENGTHS, STEPS, COOLING = [4, 6, 6, 3], (1.0, 0.5), 4000, 1000


def waited(device: str) -> None:
    """Wait for everything that the GPU still has to do."""
    if device == "cuda":
        torch.cuda.synchronize()


def timed(device: str, work: Callable[[], object], rounds: int = 5) -> float:
    """The median seconds of a call, after one to warm up."""
    found = []
    for _ in range(rounds + 1):
        waited(device)
        started = time.perf_counter()
        work()
        waited(device)
        found.append(time.perf_counter() - started)
    return statistics.median(found[1:])


def rates(device: str) -> None:
    """Print the rate of a large product, of a step's bare products, and of a step, replayed and kernel by kernel."""
    with torch.inference_mode(), torch.device(device):
        size = 8192 if device == "cuda" else 1024
        large = torch.randn(size, size, dtype=torch.float64)
        peak = 2 * size**3 / timed(device, lambda: large @ large)
        print(f"one product of {size} x {size}: {peak / 1e9:.0f} GFLOP/s")
        for runs, width in itertools.product((16, RATE_RUNS if device == "cuda" else 1000), (4, 6, 8, 16)):
            _rates_of(device, runs, width, peak)


def _rates_of(device: str, runs: int, width: int, peak: float) -> None:
    """Print one line for networks of one width."""
    steps = 200 if device == "cuda" else 20
    shape = (runs, RATE_PATHS, width, width)
    weights = [torch.randn(shape, dtype=torch.float64) * 0.3 for _ in range(RATE_DEPTH)]
    goal = torch.eye(width, dtype=torch.float64).expand(runs, -1, -1)
    operations = 2 * width**3 * 3 * (RATE_DEPTH - 1) * runs * RATE_PATHS

    def gradient(current: Weights) -> Weights:
        return parallel_paths.loss_gradient(goal)(current)

    def products() -> None:
        for _ in range(steps):
            partial = prefixes(weights)
            back = partial[-1]
            for layer in range(RATE_DEPTH - 1, 0, -1):
                _ = back @ partial[layer - 1].mT
                back = weights[layer].mT @ back

    def trained(loop: Callable[..., Any]) -> Callable[[], object]:
        return lambda: loop(weights, gradient, lambda _: 0.01, steps, [], lambda _: {}, silent)

    bare = timed(device, products) / steps
    replayed, eager = (timed(device, trained(loop)) / steps for loop in (descend, descend_with_memory))
    sizes = f"width {width}, {runs} runs x {RATE_PATHS} paths, depth {RATE_DEPTH}"
    print(
        f"{sizes}: bare products {bare * 1e6:.0f} us ({operations / bare / 1e9:.0f} GFLOP/s, "
        f"{operations / bare / peak:.1%} of the large product's rate), step replayed {replayed * 1e6:.0f} us "
        f"({bare / replayed:.2f} of the bare products' rate, {operations / replayed / peak:.1%} of the large "
        f"product's), kernel by kernel {eager * 1e6:.0f} us ({bare / eager:.2f} of the bare products' rate)",
        flush=True,
    )


def diagram(device: str, workers: int) -> None:
    """Print how long a phase diagram takes, and where paths share the first mode."""
    points = [
        (0.25 + 3.25 * column / (SIDE - 1), 0.05 + 0.75 * row / (SIDE - 1))
        for row in range(SIDE)
        for column in range(SIDE)
    ]
    started = time.perf_counter()
    if device == "cpu":
        parts = [points[start::workers] for start in range(workers)]
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            found = pool.map(_shares, parts)
        shares = [math.nan] * len(points)
        for start, part in enumerate(found):
            shares[start::workers] = part
    else:
        with computing_on("cuda"):
            shares = _shares(points)
    seconds = time.perf_counter() - started
    if device == "cuda":
        print(f"peak memory on the GPU: {torch.cuda.max_memory_allocated() / 1e6:.0f} MB")
    print(f"{len(points)} points x {RUNS} runs, {STEPS} + {COOLING} steps, {device} ({workers}): {seconds:.1f} s")
    for row in range(SIDE - 1, -1, -3):
        print("".join(_sign(share) for share in shares[row * SIDE : (row + 1) * SIDE]))
    Path(f"/tmp/diagram-{device}.json").write_text(json.dumps(shares), encoding="utf-8")


def _sign(share: float) -> str:
    """One letter for a share: # one path has the mode, = the paths share it, x no finite end."""
    return "x" if math.isnan(share) else "#" if share > 0.95 else "=" if share < 0.55 else "+"


def _shares(points: Sequence[tuple[float, float]]) -> list[float]:
    """The median over runs of the largest path's share of mode 1, at each (step ratio, scale of the start)."""
    torch.set_num_threads(1)
    seeds = range(RUNS)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    depth = len(WIDTHS) - 1
    with torch.inference_mode():
        left, right = orthonormal(WIDTHS[-1], 2, generators), orthonormal(WIDTHS[0], 2, generators)
        target = left * torch.tensor(STRENGTHS, dtype=torch.float64) @ right.mT
        drawn = gaussian_paths([1.0, 0.4], WIDTHS, generators)
        ratios, scales = torch.tensor(points, dtype=torch.float64).unbind(-1)
        # All runs of all points are one batch: a run of a point differs from another point's by its step and scale.
        weights = [(scales[:, None, None, None, None] * layer).flatten(0, 1) for layer in drawn]
        goal = target.repeat(len(points), 1, 1)
        single = single_path_sharpness(STRENGTHS[0], depth)
        sizes = (ratios / single).repeat_interleave(RUNS)[:, None, None, None]
        cool = 0.5 / single

        def descent(current: Weights) -> Weights:
            return [sizes * part for part in parallel_paths.loss_gradient(goal)(current)]

        def cooling(current: Weights) -> Weights:
            return parallel_paths.loss_gradient(goal)(current)

        end, _ = descend(weights, descent, lambda _: 1.0, STEPS, [], lambda _: {}, silent)
        end, _ = descend(end, cooling, lambda _: cool, COOLING, [], lambda _: {}, silent)
        times = len(points)
        carried = parallel_paths.mode_contributions(end, left.repeat(times, 1, 1), right.repeat(times, 1, 1)).abs()
        share: Tensor = parallel_paths.largest_share(carried)[:, 0].reshape(times, RUNS)
        return [float(value) for value in share.cpu().nanmedian(-1).values]


def compare(folder: Path, other: Path) -> None:
    """Print where verdicts of two folders of reports differ, and by how much the numbers of each claim do."""
    first, second = _claims(folder), _claims(other)
    same = 0
    for name in sorted(first.keys() | second.keys()):
        one, two = first.get(name), second.get(name)
        if one is None or two is None:
            print(f"{name}: only in {folder if two is None else other}")
            continue
        same += one["verdict"] == two["verdict"]
        if one["verdict"] != two["verdict"]:
            print(f"{name}: {one['verdict']} / {two['verdict']}: {two['because']}")
        differing, total, worst, where = _differences(one, two)
        print(f"{name}: {differing} of {total} numbers differ, at most by {worst:.1e} {where}; {two['seconds']:.0f} s")
    print(f"{same} of {len(first.keys() | second.keys())} verdicts are the same")


def _claims(folder: Path) -> dict[str, Any]:
    """The claims of all reports in a folder, by id."""
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return {claim["id"]: claim for report in reports for claim in report["claims"]}


def _differences(one: Any, two: Any) -> tuple[int, int, float, str]:
    """How many numbers differ, of how many, the largest difference relative to the arm's largest number, and where."""
    differing, total, worst, where = 0, 0, 0.0, ""
    for arm, outcome in one["outcomes"].items():
        for measure, values in outcome["measures"].items():
            others = two["outcomes"].get(arm, {"measures": {}})["measures"].get(measure)
            if others is None:
                continue
            size = max((abs(value) for value in values if value is not None), default=0.0) or 1.0
            for value, found in zip(values, others, strict=False):  # a reduced run has fewer
                total += 1
                if value == found:
                    continue
                differing += 1
                gap = abs(value - found) / size if None not in (value, found) else math.inf
                if gap > worst:
                    worst, where = gap, f"in {arm}, {measure}"
    return differing, total, worst, where


def main(words: Sequence[str]) -> None:
    """Do what the first word says."""
    match list(words):
        case ["rates", *device]:
            rates(device[0] if device else "cuda")
        case ["diagram", device, *workers]:
            diagram(device, int(workers[0]) if workers else 1)
        case ["compare", folder, other]:
            compare(Path(folder), Path(other))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
