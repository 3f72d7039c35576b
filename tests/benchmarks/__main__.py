"""`make bench`: one table, each row a ratio measured side by side in one run; also written to outputs/."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import torch  # noqa: E402

from dlnrepro.compute.arithmetic import processor  # noqa: E402
from tests.benchmarks import margins, recording, training, whole_commands  # noqa: E402  the threads must be set first
from tests.benchmarks.pairing import Row  # noqa: E402


def main() -> None:
    """Measure every row, print the table as it grows, and write it."""
    torch.set_num_threads(1)
    now = datetime.now(UTC)
    lines = [f"{now:%Y-%m-%d %H:%M} UTC, {processor()}, torch {torch.__version__}", ""]
    lines.append(f"{'what':<70} {'figure':<24} {'target':<16} met")
    print("\n".join(lines))
    for row in _rows():
        met = "" if row.met is None else "yes" if row.met else "no"
        lines.append(f"{row.name:<70} {row.figure:<24} {row.target:<16} {met}")
        print(lines[-1], flush=True)
    folder = Path("outputs")
    folder.mkdir(exist_ok=True)
    path = folder / f"benchmarks-{now:%Y%m%dT%H%M%SZ}.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"\n{path}", file=sys.stderr)


def _rows() -> Iterator[Row]:
    """The rows, each measured when it is asked for."""
    yield training.against_a_users_loop()
    yield training.against_bare_products()
    yield from training.against_tensors()
    yield from training.shares_of_the_peak()
    yield training.aligned_sweep()
    yield from margins.gap_in_equal_time()
    yield from training.exponents()
    yield training.samples()
    yield from recording.costs()
    yield from margins.flow_by_kernel()
    yield from margins.flow_by_width()
    yield whole_commands.workers()
    yield whole_commands.warm_cache()
    yield from whole_commands.start_up()


if __name__ == "__main__":
    main()
