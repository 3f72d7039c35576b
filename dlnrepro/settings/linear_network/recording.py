"""What is recorded, at which steps or times, and the measures that a claim declares."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from itertools import pairwise

from pydantic import Field
from torch import Tensor

from dlnrepro.dynamics.general.grids import Spacing
from dlnrepro.dynamics.general.population import NODES
from dlnrepro.dynamics.general.quantities import QUANTITIES
from dlnrepro.dynamics.general.shapes import Sizes, shape_of
from dlnrepro.dynamics.observed.evaluation import longest_step, needed
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.declared.measures import DeclaredSeriesByName, Measures, computed, expressions
from dlnrepro.settings.declared.quantities import Quantity
from dlnrepro.settings.linear_network.data import Problem
from dlnrepro.settings.linear_network.kinds import Constants
from dlnrepro.settings.linear_network.training import FLOWS, TrainingSettings

MOST_RECORDS = 10**6

RECORDED_FOR: Mapping[str, str] = {
    "layers": "a single path of layers",
    "dense": "dense layers without skip, in paths of the same widths",
    "target": "a target matrix (`data: moments` or `data: teacher`) or the teacher of `data: population`",
    "solution": "`data: moments`",
    "curvature": "samples or second moments, so not for the logistic loss of `data: population`",
    "margin": "two classes",
    "labels": "`loss: cross-entropy`",
    "fresh": "`fresh` above 0",
    "samples": "samples, so not for `data: moments` and `data: population`",
}
"""What a quantity may need -> for which networks and data it is recorded."""


class RecordingSettings(TrainingSettings):
    """The grid of records."""

    record: Spacing = Field(
        default="linear",
        description="recorded steps or times: evenly spaced (`linear`), evenly in the logarithm (`log`), `every` step,"
        " or the `last` steps (default: linear)",
    )
    points: int = Field(
        default=200, ge=2, le=MOST_RECORDS, description="number of records, except for `record: every` (default: 200)"
    )
    decades: float = Field(
        default=6.0,
        gt=0,
        le=30,
        description="for `record: log` of a flow: decades from the first recorded time after 0 on (default: 6)",
    )
    constants: Constants = Field(
        default={},
        description="names of the claim's own for numbers and lists of numbers; formulas of settings, measures and"
        " thresholds use them as `constants.name`; an arm changes those that it names (default: none)",
    )
    measures: Measures = Field(default={}, description="the measures that the claim declares")
    series: DeclaredSeriesByName = Field(default={}, description="the series that the claim declares")

    def contradictions(self) -> Iterable[Contradiction]:
        """Records of steps for a flow, and more records than can be kept."""
        yield from super().contradictions()
        if self.method == "flow" and self.record in ("every", "last"):
            yield Contradiction("record", "linear or log for `method: flow`")
        elif self.method == "margin-flow" and self.record != "linear":
            yield Contradiction("record", "linear for `method: margin-flow`")
        elif self.record == "every" and self.steps and self.step_size and self.total_steps > MOST_RECORDS:
            yield Contradiction("record", f"at most {MOST_RECORDS} recorded steps, such as `record: last`")
        if self.decades != 6 and (self.record != "log" or self.method != "flow"):
            yield Contradiction("decades", "no such key, which is only for `record: log` and `method: flow`")

    @property
    def record_count(self) -> int:
        """The number of records, at most."""
        if self.method in FLOWS:
            return self.points
        most = self.points + 2 if self.record == "last" else (self.points + 2) * (2 * self.reach + 1)
        return self.total_steps + 1 if self.record == "every" else min(most, self.total_steps + 1)

    @property
    def reach(self) -> int:
        """The largest k in the `(t - k)` of the declared measures and series."""
        return longest_step(computed(self.measures), expressions(self.series))

    @property
    def recorded(self) -> list[str]:
        """The quantities that the declared measures and series name, without `step` and `time`."""
        names = needed(computed(self.measures), expressions(self.series))
        return sorted(name for name in names if name in QUANTITIES or self._layer_number(name))

    def _layer_number(self, name: str) -> int:
        """The number of the layer that a name such as `W2` stands for; 0 if there is no such layer."""
        digits = name[1:]
        number = int(digits) if name[:1] == "W" and digits.isdecimal() else 0
        return number if number <= len(self.sizes.layers) else 0

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Each recorded quantity with its shape in one run at one record."""
        return {name: shape_of(name, self.sizes) for name in self.recorded}

    @property
    def sizes(self) -> Sizes:
        """The sizes on which the shapes depend."""
        architecture, (rows, columns) = self.architecture, self.ends
        modes = len(self.strengths) if self.strengths is not None else min(rows, columns)
        alone = self.path_widths[:1] if architecture.stacked else self.path_widths
        paths = len(self.path_widths)
        front = (paths,) if architecture.stacked else ()
        layers = tuple((*front, after, before) for path in alone for before, after in pairwise(path))
        depth = len(self.path_widths[0]) - 1
        return Sizes(rows, columns, layers, depth, paths, architecture.stacked, modes, self.weight_count)

    def quantities(self) -> dict[str, Quantity]:
        """What a formula of a measure may name: what can be recorded, and the settings that are numbers."""
        has, sizes = self._offers, self.sizes
        found = {"step": Quantity("number of gradient steps, or of the record of a flow")}
        if self.method != "margin-flow":
            found["time"] = Quantity("time t, the sum of the step sizes so far")
        for name, quantity in QUANTITIES.items():
            if quantity.needs in has:
                shape = shape_of(name, sizes)
                found[name] = Quantity(quantity.says, len(shape), sizes=shape)
        for number, shape in enumerate(sizes.layers, 1):
            if len(shape) == 2:
                found[f"W{number}"] = Quantity(f"the layer W_{number}, a matrix", 2, sizes=shape)
        for name, value in self._numbers().items():
            says = "a constant of the claim" if name.startswith("constants.") else "a setting"
            length: tuple[int, ...] = (len(value),) if isinstance(value, tuple) else ()
            own = Quantity(says, len(length), recorded=False, sizes=length)
            found[name] = found[name]._replace(setting=own) if name in found else own
        return found

    def elsewhere(self) -> dict[str, str]:
        """The quantities that are not recorded for this network and its data -> when they are recorded."""
        has = self._offers
        return {name: RECORDED_FOR[item.needs] for name, item in QUANTITIES.items() if item.needs not in has}

    @property
    def _offers(self) -> set[str]:
        """What the network and its data have, on which quantities depend."""
        dense = self.layers == "dense" and not self.skip and len(set(self.path_widths)) == 1
        parts = {
            "": True,
            "layers": len(self.path_widths) == 1,
            "dense": dense,
            "target": self.data in ("moments", "teacher", "population"),
            "solution": self.data == "moments",
            "curvature": self.data != "population" or self.loss == "squared",
            "margin": self.by_margin,
            "labels": self.loss == "cross-entropy",
            "fresh": self.fresh > 0,
            "samples": self.data not in ("moments", "population"),
        }
        return {name for name, there in parts.items() if there}

    def _numbers(self) -> dict[str, float | tuple[float, ...]]:
        """The settings that are numbers or lists of numbers.

        A list of one is a number, except for `strengths`, and so is a range from which only one number can be drawn.
        """
        found: dict[str, float | tuple[float, ...]] = {"depth": len(self.path_widths[0]) - 1}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, tuple) and name != "strengths" and len({*value} if name == "scale" else value) == 1:
                value = value[0]
            several = isinstance(value, tuple) and all(isinstance(one, int | float) for one in value)
            if several or (isinstance(value, int | float) and not isinstance(value, bool)):
                found[name] = value
        found["paths"] = len(self.path_widths)
        found |= {f"constants.{name}": value for name, value in self.constants.items()}
        if self.by_margin:
            found["maximum_margin"] = 0.0
        return found

    def known_constants(self, problem: Problem) -> dict[str, float | tuple[float, ...] | Tensor]:
        """The settings that are numbers or lists of numbers, and what each run drew in their place."""
        return self._numbers() | problem.constants

    def numbers(self) -> int:
        """Parameters with gradients and partial products, samples, records, and a Hessian if one is recorded."""
        rows, columns = self.ends
        weights = 24 * self.weight_count + 12 * len(self.path_widths) * rows * columns
        count = os.path.getsize(self.file) // 8 if os.path.isfile(self.file) else self.samples or columns
        samples = count * (columns + 8 * rows) + (4 * NODES if self.data == "population" else 0)
        count, record = self.record_count, 0
        for shape in self.shapes.values():
            record += math.prod(shape)
        whole = {"sharpness", "hessian_eigenvalues"} & {*self.recorded}
        hessian = 6 * self.weight_count**2 if whole else 0
        newton = 6 * len(self.path_widths) * (rows * columns) ** 2 if "gauss_newton_sharpness" in self.recorded else 0
        path = count * self.weight_count if self.method in FLOWS else 0
        if self.method == "margin-flow":
            path += self.weight_count**2
        return weights + samples + 4 * count * (record + 2) + hessian + newton + 3 * path
