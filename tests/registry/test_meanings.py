"""What a runner says of its measures, without running it."""

from __future__ import annotations

import subprocess
import sys

from dlnrepro.registry.meanings import measure_meanings
from dlnrepro.registry.names import load_runner


def test_the_meanings_are_those_that_the_runner_itself_has() -> None:
    assert measure_meanings("one_neuron_descent") == load_runner("one_neuron_descent").MEASURES
    assert measure_meanings("path_drift") == load_runner("path_drift").MEASURES


def test_a_computed_meaning_is_left_out() -> None:
    found, whole = measure_meanings("predictive_coding_stability"), load_runner("predictive_coding_stability").MEASURES
    assert found.items() <= whole.items()
    assert len(found) >= 1


def test_a_runner_that_is_not_known_has_no_meanings() -> None:
    assert measure_meanings("no-such-runner") == {}


def test_reading_them_loads_no_torch() -> None:
    code = (
        "import sys; from dlnrepro.registry.meanings import measure_meanings; "
        "assert measure_meanings('one_neuron_descent'); assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
