"""The self-supervision runner: exact in theory's own setting."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.claimfile.parameters import parameter_faults
from dlnrepro.errors import BudgetSpent
from dlnrepro.runners.self_supervision import local_self_supervision as runner
from tests.runners.running import quick_setup, run_seeds, seeded

SETUP = quick_setup(
    "local-equals-backprop", widths=[9, 6, 6, 6], samples=7, falloff=1.0, noise=0.4, decay=0.02, printed=[0.5, 0.7, 1.0]
)
CASES: dict[str, dict[str, Any]] = {
    "orthogonal": {},
    "disturbed": {"start": "default", "disturbance": 0.1},
    "relu-and-top-context": {"activation": "relu", "context": "top"},
    "random-feedback-and-stranger": {"feedback": "random", "context": "stranger"},
    "narrowing-and-linear-loss": {"widths": [9, 6, 4, 2], "loss": "linear", "context": "top"},
}
CONTRADICTIONS = [
    ({"widths": [9, 4, 6, 6]}, ["widths: expected widths that do not rise after n_1, found [9, 4, 6, 6]"]),
    (
        {"widths": [9, 6, 6, 5], "feedback": "identity", "printed": [0.5, 1.0]},
        [
            "feedback: expected `best` or `random`, because the layers have several widths, found 'identity'",
            "printed: expected 3 values, one for each layer, found 2 values",
        ],
    ),
]
POINTS = {"layer": 3}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize(
    "changes",
    [{}, {"loss": "difference"}, {"loss": "linear"}, {"context": "top"}, {"feedback": "identity"}],
    ids=str,
)
def test_orthogonal_layers_learn_locally_what_back_propagation_teaches(changes: dict[str, Any]) -> None:
    result = _run([0, 1], **changes)

    assert float(result.measures["gradient_error"].max()) < 1e-11
    assert float(result.measures["feedback_gap"].max()) < 1e-10
    torch.testing.assert_close(result.series["cosine"], torch.ones(2, 3, dtype=torch.float64))
    torch.testing.assert_close(result.measures["printed_gap"], torch.full((2,), 0.5, dtype=torch.float64))


@pytest.mark.parametrize(
    "changes", [{"start": "default"}, {"activation": "relu"}, {"feedback": "random"}, {"widths": [9, 6, 5, 4]}], ids=str
)
def test_each_hypothesis_dropped_sets_them_apart(changes: dict[str, Any]) -> None:
    assert float(_run([0, 1], **changes).measures["gradient_error"].min()) > 0.05


def test_an_error_is_in_proportion_to_the_distance_from_orthogonality() -> None:
    large, small = (_run([0], disturbance=size).measures["gradient_error"] for size in (1e-3, 1e-4))

    torch.testing.assert_close(large / small, torch.full((1,), 10.0, dtype=torch.float64), rtol=0.02, atol=0)


@pytest.mark.parametrize("start", ["orthogonal", "default"])
def test_with_a_linear_loss_back_propagation_is_direct_feedback_seen_through_the_upper_layers(start: str) -> None:
    linear = {"widths": [9, 6, 4, 2], "loss": "linear", "start": start}

    assert float(_run([0, 1], context="top", **linear).measures["transport_error"].max()) < 1e-13
    for context in ("own", "stranger"):
        assert float(_run([0, 1], context=context, **linear).measures["transport_error"].min()) > 0.05


def test_the_last_layer_always_learns_as_back_propagation_teaches() -> None:
    for context in ("own", "top", "stranger"):
        error = _run([0], context=context, start="default", widths=[9, 6, 4, 2]).series["error"]
        assert float(error[0, -1]) < 1e-14
        assert float(error[0, 0]) > 0.05


def test_errors_and_cosines_are_those_of_the_worst_layer_below_the_last() -> None:
    result = _run([0, 1], start="default", printed=[0.1, 0.2, 1.0])

    error, cosine = result.series["error"][:, :-1], result.series["cosine"]
    assert torch.equal(result.measures["gradient_error"], error.max(-1).values)
    torch.testing.assert_close(result.measures["cosine_gap"], 1 - cosine[:, :-1].min(-1).values)
    gaps = (cosine - torch.tensor([0.1, 0.2, 1.0], dtype=torch.float64)).abs()
    assert torch.equal(result.measures["printed_gap"], gaps.max(-1).values)


def test_the_own_context_is_the_measure_of_closeness_and_of_gain() -> None:
    own = _run([0, 1], start="default").measures

    assert own["closer_ratio"].tolist() == [1, 1]
    assert own["cosine_gain"].tolist() == [0, 0]


def test_layers_below_equal_widths_are_exact_and_do_not_count_in_the_ratio() -> None:
    linear: dict[str, Any] = {"loss": "linear", "context": "top", "printed": []}

    measures = _run([0, 1], widths=[9, 6, 4, 4], **linear).measures
    assert float(measures["closer_ratio"].max()) < 1
    assert bool(measures["printed_gap"].isnan().all())
    assert bool(_run([0], widths=[9, 6, 6, 6], **linear).measures["closer_ratio"].isnan().all())


def test_views_are_drawn_by_each_run() -> None:
    drawn = _run([0, 1], start="default", noise=[0.2, 0.9]).measures["gradient_error"]

    assert not torch.equal(drawn, _run([0, 1], start="default").measures["gradient_error"])


def test_a_share_of_noise_above_one_is_refused() -> None:
    ((place, fault),) = parameter_faults(runner.Params, SETUP | {"noise": [0.5, 1.5]})

    assert (place, fault.wording) == (("noise",), "expected shares of at most 1, found [0.5, 1.5]")


def test_a_spent_budget_stops_it_between_two_networks() -> None:
    told: list[str] = []

    def stop(_: float, note: str) -> None:
        told.append(note)
        if len(told) == 2:
            raise BudgetSpent

    generators = seeded(range(3))
    with pytest.raises(BudgetSpent):
        runner.run(runner.Params.model_validate(SETUP), generators, stop)

    assert told[-1] == "run 2 of 3"
