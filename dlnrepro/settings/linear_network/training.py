"""How the network is trained: the method, its steps or its time, and its constants."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic_core import InitErrorDetails

from dlnrepro.dynamics.general.rules import Rule
from dlnrepro.dynamics.general.training import Phase, constant
from dlnrepro.settings.base import Contradiction, written
from dlnrepro.settings.fields import FROM_LIST
from dlnrepro.settings.linear_network.initialization import StartSettings
from dlnrepro.settings.linear_network.kinds import ONE_OR_MORE, ONE_OR_MORE_WHOLE, AboveZero, FromZero, Vector, unused

MOST_STEPS = 10**8

StepSizes = Annotated[tuple[AboveZero, ...], FROM_LIST, Field(min_length=1, max_length=1000), ONE_OR_MORE]
StepCounts = Annotated[
    tuple[Annotated[int, Field(ge=1, le=MOST_STEPS)], ...],
    FROM_LIST,
    Field(min_length=1, max_length=1000),
    ONE_OR_MORE_WHOLE,
]
Kicks = Annotated[tuple[FromZero, ...], FROM_LIST, Field(min_length=1, max_length=1000), ONE_OR_MORE]
PerLayer = Annotated[Vector, ONE_OR_MORE]
Schedule = Literal["constant", "linear", "cosine", "inverse"]
FLOWS = ("flow", "margin-flow")

OF_METHODS: Sequence[tuple[str, object, Sequence[str]]] = (
    ("momentum", 0.9, ("heavy-ball", "nesterov", "muon")),
    ("memory_of_squares", 0.999, ("adam",)),
    ("sam_radius", 0.05, ("sam",)),
    ("time", None, ("flow",)),
    ("horizon", None, ("margin-flow",)),
    ("tolerance", (1e-10, 1e-14), FLOWS),
)
"""Settings, their defaults, and the methods that use them."""

OF_STEPS: Mapping[str, object] = {"step_size": None, "steps": None, "schedule": "constant", "warmth": 1.0}
"""Settings of the steps, and their values for a method without steps."""


SINGLE = ("step_size", "steps", "kick", "weight_decay", "rates", "scale")
"""Settings that are a list or a range, and may be written as a single number."""


class TrainingSettings(StartSettings):
    """A method with its steps in one stage or more, or gradient flow for some time."""

    method: Literal["flow", "margin-flow", Rule] = Field(
        default="descent",
        description="gradient `descent` with a step size; `flow`, its limit of small steps, by an adaptive solver;"
        " descent with `heavy-ball` or `nesterov` momentum; `adam`; `sign` descent; `muon`, with orthogonal steps;"
        " `sam`, with the gradient at a distance `sam_radius` uphill; `normalised` descent of log R; for two classes"
        " `margin-flow`: the flow on a clock that reaches log(1/R) = `horizon` (default: descent)",
    )
    step_size: StepSizes | None = Field(
        default=None, description="step size eta: a number, or a list with one number for each stage"
    )
    steps: StepCounts | None = Field(
        default=None, description="number of gradient steps, or a list with one number for each stage"
    )
    schedule: Schedule = Field(
        default="constant",
        description="the step size within a stage: `constant`, falling to 0 by a `linear` or `cosine` schedule, or"
        " `inverse`: eta / (1 + t / warmth) at step t (default: constant)",
    )
    warmth: float = Field(
        default=1.0, gt=0, le=1e9, description="for `schedule: inverse`: steps until the step size is half (default: 1)"
    )
    kick: Kicks = Field(
        default=(0.0,),
        description="scale of a Gaussian displacement of all weights before each stage, as for `start: gaussian`: a"
        " number, or a list with one number for each stage (default: 0)",
    )
    time: float | None = Field(default=None, gt=0, le=1e12, description="for `method: flow`: the time t at the end")
    horizon: float | None = Field(
        default=None, gt=1, le=1e13, description="for `method: margin-flow`: log(1/R) at the end, natural logarithm"
    )
    tolerance: Annotated[tuple[AboveZero, AboveZero], FROM_LIST] = Field(
        default=(1e-10, 1e-14),
        description="for flows: the solver's relative and absolute error per step; `margin-flow` uses the relative one"
        " (default: [1e-10, 1e-14])",
    )
    objective: Literal["loss", "log-loss"] = Field(
        default="loss",
        description="what the steps descend on: the loss R, or log R; `normalised` always takes log R (default: loss)",
    )
    momentum: float = Field(
        default=0.9, ge=0, lt=1, description="for heavy-ball, nesterov and muon: the momentum (default: 0.9)"
    )
    memory_of_squares: float = Field(
        default=0.999,
        ge=0,
        lt=1,
        description="for `method: adam`: the factor of the average of squares (default: 0.999)",
    )
    sam_radius: float = Field(
        default=0.05, ge=0, le=100, description="for `method: sam`: the distance rho (default: 0.05)"
    )
    weight_decay: PerLayer = Field(
        default=(0.0,),
        description="lambda_l of the penalty 1/2 sum_l lambda_l ||W_l||_F^2: a number, or a list with one number for"
        " each layer of a path (default: 0)",
    )
    rates: PerLayer = Field(
        default=(1.0,),
        description="learning rates of the layers, over that of the method: a number, or a list with one number for"
        " each layer of a path (default: 1)",
    )
    batch: int | None = Field(
        default=None, ge=1, le=10**5, description="samples in a minibatch, new ones at each step (default: all)"
    )
    label_noise: FromZero = Field(
        default=0.0, description="standard deviation of Gaussian noise on the outputs, new at each step (default: 0)"
    )

    @classmethod
    def without_meaning(cls, settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that an arm inherits, and that only other methods than its own have, with their absent values.

        Settings that change the problem, such as the weight decay, are not among them.

        Args:
            settings: the settings that the arm inherits.
            changes: the settings that the arm sets itself.
        """
        if not isinstance(method := changes.get("method"), str):
            return {}
        absent = {key: plain for key, plain, methods in OF_METHODS if method not in methods}
        absent |= OF_STEPS if method in FLOWS else {}
        return {
            key: list(plain) if isinstance(plain, tuple) else plain
            for key, plain in absent.items()
            if key in settings and key not in changes and settings[key] is not None
        }

    def _detail(self, contradiction: Contradiction) -> InitErrorDetails:
        """A contradiction at its key; a single number is shown as it was written, not as a list."""
        value = getattr(self, contradiction.key)
        if contradiction.found is None and contradiction.key in SINGLE and len({*(value or ())}) == 1:
            contradiction = contradiction._replace(found=written(value[0]))
        return super()._detail(contradiction)

    def contradictions(self) -> Iterable[Contradiction]:
        """Steps or times that are missing, and settings of other methods."""
        yield from super().contradictions()
        yield from self._flow_fits() if self.method in FLOWS else self._steps_fit()
        for key, plain, methods in OF_METHODS:
            if getattr(self, key) != plain and self.method not in methods:
                yield unused(key, " or ".join(f"`method: {method}`" for method in methods))
        if self.warmth != 1 and self.schedule != "inverse":
            yield unused("warmth", "`schedule: inverse`")
        if self._known:
            depths = {len(path) - 1 for path in self.path_widths}
            for key in ("weight_decay", "rates"):
                if len(given := getattr(self, key)) > 1 and {len(given)} != depths:
                    yield Contradiction(key, "one number for each layer of a path", f"{len(given)} numbers")
        if self.batch is not None and self.data != "file" and (self.samples is None or self.batch > self.samples):
            most = "no such key without samples" if self.samples is None else f"at most {self.samples}, the samples"
            yield Contradiction("batch", most)
        if self.label_noise and self.loss != "squared":
            yield Contradiction("label_noise", "0, unless the loss is squared")
        if (self.batch is not None or self.label_noise) and (self.objective, self.method) != ("loss", self.method):
            yield Contradiction("objective", "loss for minibatches and noisy labels")

    def _flow_fits(self) -> Iterable[Contradiction]:
        """A time or horizon that is missing, and settings of methods with steps."""
        for key in ("step_size", "steps", "batch"):
            if getattr(self, key) is not None:
                yield unused(key, "methods with steps")
        for key, plain in (("kick", (0,)), ("weight_decay", (0,)), ("label_noise", 0)):
            if getattr(self, key) != plain:
                yield unused(key, f"methods with steps (an arm that inherits it sets `{key}: 0`)")
        if self.schedule != "constant":
            yield unused("schedule", "methods with steps")
        wanted = "time" if self.method == "flow" else "horizon"
        if getattr(self, wanted) is None:
            says = "the time t at the end of the flow" if wanted == "time" else "log(1/R) at the end of the flow"
            yield Contradiction(wanted, says)
        if self.method == "margin-flow" and not self.by_margin:
            yield Contradiction("method", "another method, unless the data are two classes")
        dense = self._known and len(self.path_widths) == 1 and self.architecture.dense
        if self._known and self.method == "margin-flow" and not dense:
            yield Contradiction("method", "another method, unless there is one path of dense layers without skip")

    def _steps_fit(self) -> Iterable[Contradiction]:
        """Steps and step sizes that are missing, or that do not form stages."""
        if self.steps is None:
            yield Contradiction("steps", "the number of gradient steps")
        if self.step_size is None:
            yield Contradiction("step_size", f"the step size of `method: {self.method}`")
        if self.steps is None or self.step_size is None:
            return
        counts = {len(self.steps), len(self.step_size), len(self.kick)} - {1}
        if len(counts) > 1:
            found = f"lists of {' and '.join(map(str, sorted(counts)))} numbers"
            yield Contradiction("steps", "one number of steps, one step size and one kick for each stage", found)

    @property
    def total_steps(self) -> int:
        """The number of steps of all stages together."""
        return sum(phase.steps for phase in self.phases)

    @property
    def phases(self) -> list[Phase]:
        """The stages of the training in steps."""
        assert self.steps is not None
        assert self.step_size is not None
        count = max(len(self.steps), len(self.step_size), len(self.kick))
        steps = self.steps * count if len(self.steps) == 1 else self.steps
        sizes, kicks = (given * count if len(given) == 1 else given for given in (self.step_size, self.kick))
        even = self.schedule == "constant"
        return [
            Phase(self._sizes(size, number), number, kick, even)
            for size, number, kick in zip(sizes, steps, kicks, strict=True)
        ]

    def _sizes(self, size: float, steps: int) -> Callable[[int], float]:
        """The step size at each step of a stage."""
        if self.schedule == "linear":
            return lambda step: size * (1 - step / steps)
        if self.schedule == "cosine":
            return lambda step: size * (1 + math.cos(math.pi * step / steps)) / 2
        return constant(size) if self.schedule == "constant" else lambda step: size / (1 + step / self.warmth)

    @property
    def of_logarithm(self) -> bool:
        """Whether the steps descend on log R."""
        return self.method == "normalised" or self.objective == "log-loss"

    @property
    def noisy(self) -> bool:
        """Whether the gradient of each step depends on random draws."""
        return self.batch is not None or self.label_noise > 0

    @property
    def plain_steps(self) -> bool:
        """Whether the steps follow the gradient of R alone, with one learning rate, with or without momentum."""
        changed = self.of_logarithm or self.noisy or any(self.weight_decay) or any(rate != 1 for rate in self.rates)
        return self.method in ("descent", "heavy-ball") and not changed

    def per_parameter(self, values: tuple[float, ...]) -> list[float]:
        """A number for each parameter, from one number, or from one for each layer of a path."""
        found: list[float] = []
        for path in self.path_widths[:1] if self.architecture.stacked else self.path_widths:
            own = values * (len(path) - 1) if len(values) == 1 else values
            found += own[:1] if self.layers == "shared" else own
        return found
