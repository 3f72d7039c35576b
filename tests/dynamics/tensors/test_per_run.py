"""Work done run by run."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.tensors.per_run import each_run


def test_powers_of_a_run_have_the_same_bits_alone_and_in_any_batch(generator: torch.Generator) -> None:
    rows = torch.rand(7, 3, generator=generator, dtype=torch.float64)

    def root(row: torch.Tensor) -> torch.Tensor:
        return row ** (1 / 3)

    together = each_run(root, rows)

    assert all(torch.equal(each_run(root, rows[run : run + 1])[0], together[run]) for run in range(7))
    torch.testing.assert_close(together**3, rows)
