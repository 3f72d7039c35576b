"""Data files of a user: what is wrong in them is said with its place before anything is computed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Command = Callable[..., tuple[int, str, str]]

CLAIM = """\
schema: 1
title: A deep linear network fits my data
statement: Gradient descent fits the data of a file.
source: {kind: own}
runner: linear_network
setup:
  widths: [2, 3, 1]
  data: file
  file: data.csv
  step_size: 0.05
  steps: 20
  start: gaussian
  scale: 0.3
measures:
  final_loss: {says: the loss at the end, last: loss}
arms:
  trained: {}
  short: {steps: 2}
criteria:
  - id: fits
    says: the loss is small
    measure: final_loss
    below: 0.01
    holds_in: trained
    fails_in: short
    why: "pilot: seen in a first run"
"""

EXPECTED = "fit.yaml:9:3: setup.file: expected a file with data for these settings, found: "


@pytest.fixture
def claim(tmp_path: Path) -> Path:
    """A claim with a data file of three samples that its network can fit."""
    (tmp_path / "data.csv").write_text("a,b,y\n1,0,1\n0,1,2\n1,1,3\n")
    path = tmp_path / "fit.yaml"
    path.write_text(CLAIM)
    return path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a,b,y\n1,0,1\n0,1,apple\n", "data.csv:3:5: expected 3 numbers, found 'apple'"),
        ("a,b,y\n1,0,1\n0,inf,1\n", "data.csv:3:3: expected finite numbers, found 'inf'"),
        ("a,b,y\n1,0,1\n0,1\n", "data.csv:3:1: expected 3 numbers, found 2"),
        ("a,b,c,y\n1,0,1,1\n", "data.csv: expected 2 inputs, as the network has, found 3"),
        ("a,b,y,y1\n1,0,1,1\n", "data.csv: expected 1 outputs, as the network has, found 2"),
        ("a,b,y\n", "data.csv: expected at least one sample, found none"),
    ],
    ids=["text", "infinite", "short line", "inputs", "outputs", "empty"],
)
@pytest.mark.parametrize("verb", ["check", "run"])
def test_a_file_without_usable_data_is_refused_with_its_place(
    command: Command, claim: Path, verb: str, text: str, found: str
) -> None:
    (claim.parent / "data.csv").write_text(text)
    code, out, err = command(verb, claim)
    assert (code, out) == (2, "")
    (line,) = [line for line in err.splitlines() if EXPECTED in line]
    assert line.endswith(found)


def test_arrays_that_do_not_fit_are_refused(command: Command, claim: Path) -> None:
    np.savez(claim.parent / "data.npz", x=np.ones((4, 2)), y=np.array([1, 2, 3, np.nan]))
    claim.write_text(CLAIM.replace("data.csv", "data.npz"))
    code, _, err = command("check", claim)
    assert code == 2
    assert "data.npz: expected finite numbers, found NaN or an infinite number" in err


def test_data_that_an_arm_or_an_option_makes_unfit_is_a_fault_of_this_arm_or_option(
    command: Command, claim: Path
) -> None:
    claim.write_text(CLAIM.replace("short: {steps: 2}", "short: {file: other.csv}"))
    (claim.parent / "other.csv").write_text("1,2\n")
    code, _, err = command("check", claim)
    assert (code, err.count("expected")) == (2, 2)
    assert "fit.yaml:18:11: arms.short.file: expected a file with data" in err
    claim.write_text(CLAIM)
    code, _, err = command("run", claim, "-s", "short.widths=[3,3,1]")
    assert code == 2
    assert "fit: arm short: file: expected a file with data" in err
    assert "found: data.csv: expected 3 inputs, as the network has, found 2" in err


def test_a_corrected_file_is_used(command: Command, claim: Path) -> None:
    (claim.parent / "data.csv").write_text("1,0,x\n")
    assert command("check", claim)[0] == 2
    (claim.parent / "data.csv").write_text("1,0,1\n0,1,2\n")
    assert command("check", claim) == (0, "1 claim file is valid\n", "")
