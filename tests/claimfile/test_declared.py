"""Measures and series that a claim declares: which meaning a name has, from the file to the numbers of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dlnrepro.claimfile.loader import load_claim
from dlnrepro.claimfile.parameters import numbers, validated
from dlnrepro.claimfile.reach import arm_values
from dlnrepro.claimfile.thresholds import value_of
from dlnrepro.registry.names import load_runner
from dlnrepro.runner import declared, silent
from dlnrepro.settings.linear_network.recording import RecordingSettings
from tests.refusal import refusal

CLAIM = """\
schema: 1
title: A flow
statement: The flow ends at its time.
source: {{kind: own}}
runner: linear_network
seeds: 2
setup:
  depth: 2
  width: 2
  strengths: [1.5, 0.5]
  start: {start}
  method: flow
  time: 4
  points: 9
measures:
  a: {measure}
arms:
  only: {{}}
  late: {{scale: 3}}
series: {{clock: time, size: loss / (1 + time)}}
figures:
  - {{title: The loss, y: size, x: time, arms: [only]}}
criteria:
  - {{id: ends, says: The number is small., measure: a, at_most: {bound}, holds_in: only, fails_in: late}}
"""
GAUSSIAN = "gaussian\n  scale: 0.1"


def claim_file(folder: Path, measure: str, start: str = GAUSSIAN, bound: str = "10 * time") -> Path:
    """A claim about a flow with one measure."""
    path = folder / "flow.yaml"
    path.write_text(CLAIM.format(measure=f"{{says: a, {measure}}}", start=start, bound=bound), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("value: time", 4.0),
        ("value: 'time ** 2 + depth'", 18.0),
        ("last: time", 4.0),
        ("mean: time", 2.0),
        ("smallest: time, from: time / 2", 2.0),
        ("largest: time, to: time / 2", 2.0),
        ("largest: time, where: 'time < 3.2'", 3.0),
        ("first_time: 'time >= 2', ratio_to: time", 0.5),
        ("slope: [2 * time, time], ratio_to: time", 0.5),
        ("mean: time, ratio_to: time(last)", 0.5),
    ],
)
def test_the_time_of_a_flow_is_the_setting_in_a_single_number_and_the_recorded_time_at_points(
    tmp_path: Path, measure: str, expected: float
) -> None:
    claim = load_claim(claim_file(tmp_path, measure))
    runner = load_runner("linear_network")
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    params = validated(runner.Params, claim.settings)
    with torch.inference_mode():
        found = runner.run(params, generators, silent)
    assert found.measures["a"].tolist() == pytest.approx([expected, expected])
    assert found.series["time"].tolist() == [[0.5 * point for point in range(9)]] * 2
    series = declared(runner, params).series
    assert series is not None
    assert series["time"].says == "time t, the sum of the step sizes so far"


def test_every_name_of_a_quantity_and_a_setting_has_both_meanings() -> None:
    params = RecordingSettings.model_validate(
        {"widths": [2, 1, 2], "strengths": [1.5, 0.5], "method": "flow", "time": 4}
        | {"start": "one-neuron", "scale": [0.1, 0.2], "overlap": [0.5, 1.0]}
    )
    known = params.quantities()
    numbers = {name for name, item in known.items() if not item.recorded or item.setting is not None}
    recorded = {name for name, item in known.items() if item.recorded}
    assert numbers & recorded == {"time", "overlap"}
    assert (known["overlap"].indices, known["time"].indices) == (0, 0)
    settings = [known[name].setting for name in ("overlap", "time")]
    assert [setting.indices for setting in settings if setting is not None] == [1, 0]


def test_a_quantity_of_two_classes_is_named_as_such_for_other_data(tmp_path: Path) -> None:
    assert refusal(lambda: load_claim(claim_file(tmp_path, "last: margin"))).partition("flow.yaml:")[2] == (
        "17:16: measures.a.last: expected a quantity that is recorded here, found 'margin', which is only recorded for"
        " two classes"
    )


OF_ARMS = CLAIM.format(measure="{says: a, last: loss}", start=GAUSSIAN, bound="1").replace("loss / (1 + time)", "loss")
FLOW = "  method: flow\n  time: 4\n"
DESCENT = "method: descent, step_size: 0.1, steps: 20"


def arms_file(folder: Path, setup: str, late: str, only: str = "") -> Path:
    """A claim whose setup has some further lines, and whose arms have some changes."""
    text = OF_ARMS.replace(FLOW, setup).replace("{scale: 3}", f"{{{late}}}").replace("only: {}", f"only: {{{only}}}")
    path = folder / "arms.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def params_of(path: Path, arm: str) -> RecordingSettings:
    """The settings of an arm."""
    claim = load_claim(path)
    return validated(RecordingSettings, arm_values(claim, arm, {}, quick=False))


@pytest.mark.parametrize("further", ["", "  tolerance: [1e-8, 1e-10]\n", "  tolerance: [1e-10, 1e-14]\n"])
def test_an_arm_of_another_method_leaves_out_what_only_the_method_of_the_setup_has(
    tmp_path: Path, further: str
) -> None:
    path = arms_file(tmp_path, FLOW + further, DESCENT)
    found = params_of(path, "late")
    assert (found.method, found.time, found.tolerance) == ("descent", None, (1e-10, 1e-14))
    assert params_of(path, "only").time == 4
    assert load_claim(path).arms["late"]["time"] is None


@pytest.mark.parametrize("momentum", [0.9, 0.5])
def test_an_inherited_momentum_is_left_out_whether_it_is_the_usual_one_or_not(tmp_path: Path, momentum: float) -> None:
    steps = f"  method: heavy-ball\n  momentum: {momentum}\n  step_size: 0.1\n  steps: 20\n  schedule: cosine\n"
    assert params_of(arms_file(tmp_path, steps, "method: descent"), "late").momentum == 0.9
    assert params_of(arms_file(tmp_path, steps, "method: nesterov"), "late").momentum == momentum
    flow = params_of(arms_file(tmp_path, steps, "method: flow, time: 4"), "late")
    assert (flow.step_size, flow.steps, flow.schedule, flow.momentum) == (None, None, "constant", 0.9)


def test_what_an_arm_sets_itself_and_what_changes_the_problem_is_not_left_out(tmp_path: Path) -> None:
    assert refusal(lambda: load_claim(arms_file(tmp_path, FLOW, f"{DESCENT}, time: 3"))).endswith(
        "arms.late.time: expected no such key, which is only for `method: flow`, found 3"
    )
    steps = "  weight_decay: 0.1\n  step_size: 0.1\n  steps: 20\n"
    assert refusal(lambda: load_claim(arms_file(tmp_path, steps, "method: flow, time: 4"))).endswith(
        "arms.late.weight_decay: expected no such key, which is only for methods with steps (an arm that inherits it"
        " sets `weight_decay: 0`), found 0.1"
    )


def test_a_setup_may_be_completed_by_its_arms(tmp_path: Path) -> None:
    path = arms_file(tmp_path, "", DESCENT, "method: flow, time: 4")
    assert (params_of(path, "only").time, params_of(path, "late").steps) == (4, (20,))
    assert refusal(lambda: load_claim(arms_file(tmp_path, "", "step_size: 0.1", "method: flow, time: 4"))).endswith(
        "arms.yaml:7:1: setup.steps: expected the number of gradient steps, found nothing"
    )


def test_a_setting_that_one_arm_does_not_have_is_refused_with_the_name_of_the_arm(tmp_path: Path) -> None:
    path = arms_file(tmp_path, FLOW, DESCENT)
    path.write_text(path.read_text(encoding="utf-8").replace("last: loss", "value: time"), encoding="utf-8")
    assert refusal(lambda: load_claim(path)).endswith(
        "measures.a.value: expected a number that does not change along a run in the arm 'late', found 'time', which is"
        " recorded; a measure with last, first, largest, smallest or mean is one number"
    )


def test_a_threshold_has_the_setting_of_two_meanings(tmp_path: Path) -> None:
    claim = load_claim(claim_file(tmp_path, "last: loss", bound="10 * time"))
    assert value_of(claim.criteria[0].bounds["at_most"], numbers(claim.settings)) == 40


def constants_file(folder: Path, late: str = "{rate: 3}", measure: str = "value: constants.rate * time") -> Path:
    """A claim whose settings, measure and threshold are formulas of constants, and an arm that changes one of them."""
    bound, constants = "'constants.rate * constants.ends[2]'", "{rate: 2, ends: [1, 2 * constants.rate]}"
    text = CLAIM.format(measure=f"{{says: a, {measure}}}", start=GAUSSIAN, bound=bound)
    text = text.replace("  time: 4\n", f"  time: constants.ends[2]\n  constants: {constants}\n")
    path = folder / "constants.yaml"
    path.write_text(text.replace("{scale: 3}", f"{{constants: {late}}}"), encoding="utf-8")
    return path


def test_constants_stand_in_settings_measures_and_thresholds_and_an_arm_changes_those_that_it_names(
    tmp_path: Path,
) -> None:
    path = constants_file(tmp_path)
    claim, runner = load_claim(path), load_runner("linear_network")
    assert [params_of(path, arm).time for arm in ("only", "late")] == [4, 6]
    assert params_of(path, "late").constants == {"rate": 3, "ends": (1, 6)}
    values = validated(runner.Params, arm_values(claim, "late", {}, quick=False)).model_dump(mode="json")
    assert value_of(claim.criteria[0].bounds["at_most"], numbers(values)) == 18
    with torch.inference_mode():
        found = runner.run(params_of(path, "late"), [torch.Generator()], silent)
    assert found.measures["a"].tolist() == [18]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"late": "{rat: 3}"},
            "arms.late.constants.rat: expected one of rate, ends, found 'rat'; did you mean 'rate'?",
        ),
        ({"late": "{rate: [a]}"}, "arms.late.constants.rate: expected a number or a list of numbers, found ['a']"),
        (
            {"measure": "last: 'constants.ends[3]'"},
            "measures.a.last: expected an index from 1 to 2, or from -2 to -1, in 'constants.ends[3]', found 3",
        ),
        (
            {"measure": "last: loss - constants.rte"},
            "measures.a.last: expected one of 70 names, such as constants.rate, constants.ends, distance, found"
            " 'constants.rte'; did you mean 'constants.rate'?",
        ),
    ],
)
def test_a_constant_that_does_not_exist_or_is_no_number_is_refused_at_its_place(
    tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    assert words in refusal(lambda: load_claim(constants_file(tmp_path, **changes)))


def test_a_constant_of_an_arm_alone_and_one_without_a_proper_name_are_refused(tmp_path: Path) -> None:
    path = constants_file(tmp_path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("{rate: 2, ends", "{2nd: 2, rate: 2, ends"), encoding="utf-8")
    assert refusal(lambda: load_claim(path)).endswith(
        "setup.constants.2nd: expected a name of letters, digits and _ that does not begin with a digit, found '2nd'"
    )
    assert refusal(lambda: load_claim(arms_file(tmp_path, FLOW, "constants: {rate: 2}"))).endswith(
        "arms.late.constants.rate: expected a constant that the setup has too, found 'rate'"
    )


def test_the_quick_profile_and_an_audit_change_the_constants_that_they_name(tmp_path: Path) -> None:
    path = constants_file(tmp_path)
    quick, audit = "{{setup: {{constants: {{{name}: 5}}}}}}", "{{harmless: {{faster: {{constants: {{{name}: 4}}}}}}}}"
    further = f"quick: {quick}\naudit: {audit}\n"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + further.format(name="rate"), encoding="utf-8")
    claim = load_claim(path)
    ends = [1, "2 * constants.rate"]
    assert claim.quick.setup == {"constants": {"rate": 5, "ends": ends}}
    assert claim.audit.harmless == {"faster": {"constants": {"rate": 4, "ends": ends}}}
    assert claim.arms == {"only": {}, "late": {"constants": {"rate": 3, "ends": ends}}}
    path.write_text(text + further.format(name="rat"), encoding="utf-8")
    words = "expected one of rate, ends, found 'rat'; did you mean 'rate'?"
    assert [line.partition("constants.rat: ")[2] for line in refusal(lambda: load_claim(path)).splitlines()] == [
        words,
        words,
    ]
