"""What is recorded, at which steps or times, and the measures that a claim declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from dlnrepro.dynamics.general.grids import Spacing
from dlnrepro.dynamics.general.quantities import QUANTITIES
from dlnrepro.dynamics.general.series import Sizes, shape_of
from dlnrepro.dynamics.observed.evaluation import needed
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.linear_network.data import Problem
from dlnrepro.settings.measures import read
from dlnrepro.settings.linear_network.training import TrainingSettings

MOST_RECORDS = 10**6


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
        description="for `record: log` and `method: flow`: decades from the first recorded time to the last (default: 6)",
    )
    measures: Mapping[str, Any] = Field(default={}, description="the measures that the claim declares")

    def contradictions(self) -> Iterable[Contradiction]:
        """Records of steps for a flow, and more records than can be kept."""
        yield from super().contradictions()
        if self.method == "flow" and self.record in ("every", "last"):
            yield Contradiction("record", "linear or log for `method: flow`")
        elif self.record == "every" and self.steps and self.step_size and self.total_steps > MOST_RECORDS:
            yield Contradiction("record", f"at most {MOST_RECORDS} recorded steps, such as `record: last`")
        if self.decades != 6 and (self.record != "log" or self.method != "flow"):
            yield Contradiction("decades", "no such key, which is only for `record: log` and `method: flow`")

    @property
    def record_count(self) -> int:
        """The number of records, at most."""
        if self.method == "flow":
            return self.points
        return self.total_steps + 1 if self.record == "every" else min(self.points + 2, self.total_steps + 1)

    @property
    def recorded(self) -> list[str]:
        """The quantities that the declared measures name, without `step` and `time`, which are always recorded."""
        return sorted(name for name in needed(read(self.measures)) if name in QUANTITIES or self._layer_number(name))

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
        layers = tuple(
            shape
            for path in (self.path_widths[:1] if architecture.stacked else self.path_widths)
            for shape in zip(path[1:], path[:-1], strict=True)
        )
        if architecture.stacked:
            layers = tuple((self.paths, *shape) for shape in layers)
        depth = len(self.path_widths[0]) - 1
        paths = len(self.path_widths)
        return Sizes(rows, columns, layers, depth, paths, architecture.stacked, modes, self.weight_count)

    def constants(self, problem: Problem) -> dict[str, Tensor]:
        """The settings that are numbers or lists of numbers, each of shape () or (n,), and what each run drew."""
        found: dict[str, Tensor] = {"depth": torch.tensor(float(len(self.path_widths[0]) - 1), dtype=torch.float64)}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) == 1 and name != "strengths":
                (value,) = value
            several = isinstance(value, tuple) and value and all(isinstance(one, int | float) for one in value)
            if several or (isinstance(value, int | float) and not isinstance(value, bool)):
                found[name] = torch.tensor(value, dtype=torch.float64)
        return found | problem.constants

    def numbers(self) -> int:
        """Parameters with gradients and partial products, samples, records, and a Hessian if one is recorded."""
        rows, columns = self.ends
        weights = 24 * self.weight_count + 12 * len(self.path_widths) * rows * columns
        samples = (self.samples or columns) * (columns + 8 * rows)
        count, record = self.record_count, 0
        for shape in self.shapes.values():
            record += torch.Size(shape).numel()
        whole = {"sharpness", "hessian_eigenvalues"} & {*self.recorded}
        hessian = 6 * self.weight_count**2 if whole else 0
        newton = 6 * len(self.path_widths) * (rows * columns) ** 2 if "gauss_newton_sharpness" in self.recorded else 0
        path = count * self.weight_count if self.method == "flow" else 0
        return weights + samples + 4 * count * (record + 2) + hessian + newton + 3 * path
