"""Claims on checkpoints: files are found from the claim, count by their contents, and one run shows everything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

Command = Callable[..., tuple[int, str, str]]

CLAIM = """\
schema: 1
title: My layers align
statement: The layers of my network become aligned.
source:
  paper: A run of my own
  authors: [A. Author]
  venue: none
  where: everywhere
  basis: derived
runner: checkpoint
seeds: 1
setup:
  files: ["weights/step-*.pt"]
  data: none
  loss: usual
  layers: longest
  transposed: false
  inside: found
  from_step: 0
arms:
  trained: {}
  first: {files: [weights/step-9.pt]}
criteria:
  - id: aligned
    says: the alignment of the last checkpoint is above 0.9
    measure: final_alignment
    above: 0.9
    runs: every
    holds_in: [trained]
    fails_in: [first]
    why: "derived: the construction of the weights"
figures:
  - {title: Alignment, y: [alignment], x: step, arms: [trained]}
quick: {seeds: 1, setup: {files: [weights/step-10.pt]}}
"""


def save(folder: Path, step: int, angle: float) -> None:
    """Two layers whose first singular vectors have this angle between them."""
    first = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    turn = torch.tensor([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], dtype=torch.float32)
    torch.save({"0.weight": first, "1.weight": first @ turn}, folder / f"step-{step}.pt")


@pytest.fixture
def claim(tmp_path: Path) -> Path:
    """A claim with three checkpoints, in a folder of its own."""
    folder = tmp_path / "mine"
    (folder / "weights").mkdir(parents=True)
    for step, angle in ((9, 1.2), (10, 0.3), (100, 0.01)):
        save(folder / "weights", step, angle)
    path = folder / "aligned.yaml"
    path.write_text(CLAIM)
    return path


def test_a_claim_on_checkpoints_is_judged_by_one_run_of_each_arm(command: Command, claim: Path) -> None:
    code, out, _ = command("run", claim, "-o", "report.json")
    report = json.loads(Path("report.json").read_text())["claims"][0]
    assert code == 0
    assert report["verdict"] == "reproduced"
    assert {arm: len(outcome["seeds"]) for arm, outcome in report["outcomes"].items()} == {"trained": 1, "first": 1}
    assert report["outcomes"]["trained"]["measures"]["final_alignment"][0] == pytest.approx(np.cos(0.01), rel=1e-5)
    assert report["outcomes"]["trained"]["measures"]["checkpoints"] == [3]
    assert set(report["files"]["trained"]) == {"weights/step-9.pt", "weights/step-10.pt", "weights/step-100.pt"}
    assert set(report["files"]["first"]) == {"weights/step-9.pt"}
    assert report["drawings"][0]["lines"][0]["positions"] == [9, 10, 100]
    assert "chance of a wrong verdict" not in out


def test_a_control_that_passes_is_not_said_to_get_further_runs(command: Command, claim: Path) -> None:
    claim.write_text(claim.read_text(encoding="utf-8").replace("above: 0.9", "above: -1"), encoding="utf-8")
    code, out, _ = command("run", claim, "-q")
    said = " ".join(out.split())
    assert code == 4
    assert "the claim asks for one run of each arm and speaks of every run, so no further runs are made" in said
    assert "a new run of the claim makes further runs" not in said


def test_the_verdict_follows_the_contents_of_the_files(command: Command, claim: Path) -> None:
    assert command("run", claim, "-q")[0] == 0
    code, out, _ = command("run", claim, "-q")
    assert (code, "cached" in out) == (0, True)
    save(claim.parent / "weights", 100, 1.0)
    code, out, _ = command("report")
    assert code == 4
    assert "the file weights/step-100.pt has changed" in " ".join(out.split())
    code, _, err = command("replay")
    assert code == 2
    assert "aligned: arm trained: expected the files of the record, found that they have changed" in err
    code, out, _ = command("run", claim, "-q")
    assert code == 1
    assert "not reproduced" in out
    assert command("replay")[0] == 0


def test_a_new_checkpoint_is_noticed(command: Command, claim: Path) -> None:
    assert command("run", claim, "-q")[0] == 0
    save(claim.parent / "weights", 200, 1.0)
    assert command("run", claim, "-q")[0] == 1


def test_stored_numbers_are_used_again_in_another_folder(command: Command, claim: Path, tmp_path: Path) -> None:
    assert command("run", claim, "-q")[0] == 0
    claim.parent.rename(tmp_path / "moved")
    code, out, _ = command("run", tmp_path / "moved" / claim.name, "-q")
    assert (code, "cached" in out) == (0, True)


def test_files_and_runs_that_do_not_fit_are_refused_at_their_keys(command: Command, claim: Path) -> None:
    text = CLAIM.replace("seeds: 1\nsetup", "seeds: 4\nsetup").replace("step-9.pt", "step-7.pt")
    text = text.replace("    runs: every\n", "").replace("step-10.pt", "step-11.pt")
    claim.write_text(text)
    code, _, err = command("check", claim)
    assert code == 2
    nothing = "expected a file, or a pattern that fits a file, found from the folder of the claim, found"
    assert [line.split(": ", 1)[1] for line in err.splitlines() if line.startswith(str(claim))] == [
        "seeds: expected 1, since the runner 'checkpoint' draws nothing at random, found 4",
        f"arms.first.files[0]: {nothing} 'weights/step-7.pt'",
        "criteria[0].runs: expected every, since the runner 'checkpoint' draws nothing at random, found almost all",
        f"quick.setup.files[0]: {nothing} 'weights/step-11.pt'",
    ]


def test_a_measure_on_data_is_refused_without_data(command: Command, claim: Path) -> None:
    claim.write_text(CLAIM.replace("final_alignment", "final_loss"))
    code, _, err = command("check", claim)
    assert code == 2
    assert "criteria[0].measure: expected one of" in err
    assert "found 'final_loss'" in err


def test_options_that_do_not_fit_are_refused_before_anything_is_measured(command: Command, claim: Path) -> None:
    code, _, err = command("run", claim, "--seeds", "16")
    assert code == 2
    assert "--seeds: aligned: expected 1, since the runner 'checkpoint' draws nothing at random, found 16" in err
    code, _, err = command("run", claim, "-s", "data=missing.npz")
    assert code == 2
    assert "aligned: arm trained: data: expected a file" in err


def test_a_file_that_is_not_safe_is_an_error_with_its_name(command: Command, claim: Path) -> None:
    torch.save(torch.nn.Identity(), claim.parent / "weights" / "step-100.pt")
    code, out, _ = command("run", claim)
    assert code == 3
    assert "found a whole pickled module (torch.nn.modules.linear.Identity)" in " ".join(out.split())


def test_an_audit_has_one_run_of_each_arm_and_states_no_chances(command: Command, claim: Path) -> None:
    code, out, _ = command("audit", claim)
    words = " ".join(out.split())
    assert code == 4  # no flaw is declared
    assert "With one run of each arm, the claim is reproduced." in words
    assert "One run of each arm shows no chances." in words
    assert "256" not in words
    assert "hance that" not in words


def test_the_quick_profile_has_one_run_too(command: Command, claim: Path) -> None:
    code, out, _ = command("run", claim, "--quick", "-q")
    assert code == 0
    assert "1/1" in out
