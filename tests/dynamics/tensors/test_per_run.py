"""Work done run by run."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.tensors.per_run import each, each_run, stacked


def test_powers_of_a_run_are_bitwise_identical_alone_and_in_any_batch(generator: torch.Generator) -> None:
    rows = torch.rand(7, 3, generator=generator, dtype=torch.float64)

    def root(row: torch.Tensor) -> torch.Tensor:
        return row ** (1 / 3)

    together = each_run(root, rows)

    assert all(torch.equal(each_run(root, rows[run : run + 1])[0], together[run]) for run in range(7))
    torch.testing.assert_close(together**3, rows)


def test_each_run_reports_its_own_work_and_ends_where_the_next_one_begins() -> None:
    reported: list[tuple[float, str]] = []

    for run, tick in each(lambda fraction, note: reported.append((fraction, note)), 3):
        tick(0.5, "")
        tick(1.0, f"clock {run}")

    assert [fraction for fraction, _ in reported] == [0, 0.5 / 3, 1 / 3, 1 / 3, 1.5 / 3, 2 / 3, 2 / 3, 2.5 / 3, 1]
    assert [note for _, note in reported[3:6]] == ["run 2 of 3", "run 2 of 3", "run 2 of 3, clock 1"]


def test_a_run_that_is_kept_after_its_turn_still_reports_as_itself() -> None:
    reported: list[str] = []

    ticks = [tick for _, tick in each(lambda _, note: reported.append(note), 2)]
    reported.clear()
    for tick in ticks:
        tick(0.0, "late")

    assert reported == ["run 1 of 2, late", "run 2 of 2, late"]


def test_stacked_tensors_hold_each_run_in_its_row() -> None:
    records = [{"end": torch.tensor(float(run)), "path": torch.full((3,), run)} for run in range(2)]

    together = stacked(records)

    assert {name: value.tolist() for name, value in together.items()} == {"end": [0, 1], "path": [[0] * 3, [1] * 3]}
