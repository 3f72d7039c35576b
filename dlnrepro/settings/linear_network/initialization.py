"""The weights at the start of training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from dlnrepro.dynamics.classification import training as classifier_training
from dlnrepro.dynamics.general.starts import (
    balanced_gaussian,
    balanced_with_offset,
    diagonal_parts,
    identity_layers,
    scaled_layers,
)
from dlnrepro.dynamics.one_neuron.start import axis_pair, draw_pair, tilted
from dlnrepro.dynamics.one_neuron.start import balanced as one_neuron_layers
from dlnrepro.dynamics.pathways.path_draws import first_path_alone, gaussian_paths
from dlnrepro.dynamics.starts.balanced import balanced_layers, draw_mode_strengths, draw_strength, unbalanced
from dlnrepro.dynamics.starts.draws import gaussian, normal, orthonormal, semi_orthogonal, uniform_layers
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.settings.base import Contradiction
from dlnrepro.settings.fields import FROM_LIST, SPREAD
from dlnrepro.settings.linear_network.data import BY_MARGIN, DataSettings, Problem
from dlnrepro.settings.linear_network.kinds import AboveZero, ScaleRange, Vector, unused

StartKind = Literal[
    "gaussian",
    "plain",
    "uniform",
    "orthogonal",
    "balanced",
    "balanced-gaussian",
    "aligned",
    "lambda-balanced",
    "one-neuron",
    "first-path",
    "identity",
    "zero",
]
BY_SPECTRUM = ("balanced", "aligned", "lambda-balanced")


class StartSettings(DataSettings):
    """The law of the weights at the start, and its scale."""

    start: StartKind = Field(
        description="`gaussian`: entries of W_l have the standard deviation scale / sqrt(n_(l-1)); `plain`: they have"
        " the standard deviation scale; `uniform`: entries in +-scale / sqrt(n_(l-1)); `orthogonal`: scale times"
        " orthonormal rows or columns; `balanced`: W_(l+1)^T W_(l+1) = W_l W_l^T with random singular vectors;"
        " `balanced-gaussian`: balanced, with a Gaussian product of norm scale; `aligned`: balanced, with the singular"
        " vectors of the target; `lambda-balanced`: two layers with W_2^T W_2 - W_1 W_1^T = offset I; `one-neuron`:"
        " balanced, of rank one, with a given overlap with the target; `first-path`: a first path that carries the"
        " target alone, plus `gaussian` layers; `identity`: scale I; `zero`"
    )
    scale: ScaleRange = Field(
        default=(1.0, 1.0),
        description="scale of the start, a number or a range [low, high] from which each run draws log-uniformly; for"
        " `balanced`, `aligned` and `lambda-balanced` starts each singular value of the product is drawn (default: 1)",
    )
    start_strengths: Vector | None = Field(
        default=None,
        description="for balanced and aligned starts: the singular values of the product, in place of `scale`",
    )
    offset: float = Field(
        default=0.0, ge=-100, le=100, description="for `lambda-balanced`: W_2^T W_2 - W_1 W_1^T over I (default: 0)"
    )
    overlap: Annotated[tuple[float, float], FROM_LIST, SPREAD] | None = Field(
        default=None,
        description="for `one-neuron`: range of u^T Z v / sigma_2 in which the directions u and v are drawn (sigma_1 if"
        " the target has one mode)",
    )
    directions: Literal["drawn", "aligned", "anti-aligned", "outside-range"] = Field(
        default="drawn",
        description="for `one-neuron`: u and v are `drawn`, u_1 and +-v_1, or the last basis vectors (default: drawn)",
    )
    missing: int = Field(
        default=0, ge=0, le=31, description="for `one-neuron`: number of modes that u and v lack (default: 0)"
    )
    tilt: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="for `one-neuron`: number added to the components of u and v along mode 1 (default: 0)",
    )
    layer_factor: AboveZero = Field(
        default=1.0, description="factor by which W_1 is multiplied and W_L divided at the start (default: 1)"
    )
    path_scales: Vector | None = Field(
        default=None, description="factors on the start of the paths, one for each path (default: 1 for all)"
    )
    below_zero_risk: bool = Field(
        default=False,
        description="for two classes: whether W_L is turned and shrunk until the loss is not above that of the zero"
        " network (default: false)",
    )

    def contradictions(self) -> Iterable[Contradiction]:
        """Starts that the architecture or the data does not have, and settings of other starts."""
        yield from super().contradictions()
        if self.start_strengths is not None and self.start not in BY_SPECTRUM:
            yield unused("start_strengths", "`start: balanced`, `aligned` or `lambda-balanced`")
        if self.offset and self.start != "lambda-balanced":
            yield unused("offset", "`start: lambda-balanced`")
        for key, plain in (("overlap", None), ("missing", 0), ("tilt", 0.0), ("directions", "drawn")):
            if getattr(self, key) != plain and self.start != "one-neuron":
                yield unused(key, "`start: one-neuron`")
        if self.start == "one-neuron" and (self.overlap is None) == (self.directions == "drawn"):
            wanted = "a range [low, high] for `start: one-neuron`" if self.overlap is None else "no such key here"
            yield Contradiction("overlap", wanted)
        if self.directions != "drawn" and self.basis != "diagonal":
            yield Contradiction("basis", "diagonal for these directions of the start")
        if self.start in ("aligned", "one-neuron", "first-path") and self.data not in ("moments", "teacher"):
            yield Contradiction("start", "a start that needs no target for this data")
        if self.below_zero_risk and (self.data not in BY_MARGIN or self.start != "gaussian"):
            yield unused("below_zero_risk", "two classes and `start: gaussian`")
        if self._known:
            yield from self._start_fits()

    def _start_fits(self) -> Iterable[Contradiction]:
        """Starts that the widths and paths do not admit."""
        paths, depths = len(self.path_widths), {len(path) - 1 for path in self.path_widths}
        if self.path_scales is not None and len(self.path_scales) != paths:
            yield Contradiction("path_scales", f"{paths} factors, one for each path", f"{len(self.path_scales)}")
        if self.start == "first-path" and not self.architecture.stacked:
            yield Contradiction("start", "another start for a single path, or for paths of unequal depths")
        if self.start in ("lambda-balanced", "one-neuron") and paths > 1:
            yield Contradiction("start", "another start for several paths")
        if self.start == "lambda-balanced" and (depths != {2} or self.narrowest != self.path_widths[0][1]):
            yield Contradiction("start", "another start, unless there are two layers and the hidden one is narrowest")
        if self.start_strengths is not None and len(self.start_strengths) > self.narrowest:
            found = f"{len(self.start_strengths)} values"
            yield Contradiction("start_strengths", f"at most {self.narrowest} values, the narrowest width", found)
        if self.start == "aligned" and self.strengths is not None and len(self.strengths) > self.narrowest:
            yield Contradiction("start", "another start, because the target has more modes than a layer has neurons")
        if self.layers == "shared" and self.start not in ("gaussian", "plain", "uniform", "identity", "zero"):
            yield Contradiction("start", "gaussian, plain, uniform, identity or zero for `layers: shared`")
        if self.layer_factor != 1 and (paths > 1 or self.layers == "shared"):
            yield unused("layer_factor", "a single path of layers that are not shared")

    def parameters(self, problem: Problem, generators: Sequence[Generator]) -> Weights:
        """The parameters of each run at the start, drawn from its generator after the data."""
        if self.below_zero_risk:
            assert problem.sets is not None
            inside = self.data == "under-determined"
            drawn = self.path_widths[0], self.scale[0], self.loss, problem.sets, inside
            return classifier_training.start(*drawn, generators)  # type: ignore[arg-type]
        architecture = self.architecture
        if architecture.stacked or self.start == "first-path":
            weights = self._stacked_start(problem, generators)
        else:
            factors = self.path_scales or (1.0,) * len(self.path_widths)
            weights = []
            for widths, factor in zip(self.path_widths, factors, strict=True):
                layers = self._one_path(widths, factor, problem, generators)
                weights += layers[:1] if self.layers == "shared" else layers
        if self.layers == "diagonal":
            return diagonal_parts(weights)
        return weights if self.layer_factor == 1 else unbalanced(weights, self.layer_factor)

    def _stacked_start(self, problem: Problem, generators: Sequence[Generator]) -> Weights:
        """The layers of all paths of equal widths, drawn one path after the other."""
        factors, widths = self.path_scales or (1.0,) * len(self.path_widths), self.path_widths[0]
        if self.start == "first-path":
            noise = gaussian_paths([self.scale[0] * factor for factor in factors], widths, generators)
            target = problem.target
            assert target is not None
            modes = target.strengths.shape[-1]
            frames = target.left[..., :modes], target.strengths, target.right[..., :modes]
            solution = first_path_alone(*frames, widths[1:-1], len(factors), generators)
            return [layer + extra for layer, extra in zip(solution, noise, strict=True)]
        drawn = [self._one_path(widths, factor, problem, generators) for factor in factors]
        layers = [torch.stack(layers, 1) for layers in zip(*drawn, strict=True)]
        return layers[:1] if self.layers == "shared" else layers

    def _one_path(
        self, widths: Sequence[int], factor: float, problem: Problem, generators: Sequence[Generator]
    ) -> Weights:
        """The layers of one path."""
        runs, low, high = len(generators), self.scale[0], self.scale[1]
        if self.start == "zero":
            return identity_layers(widths, torch.zeros(runs, dtype=torch.float64))
        if self.start in BY_SPECTRUM:
            return self._by_spectrum(widths, factor, problem, generators)
        if self.start == "one-neuron":
            return self._one_neuron(widths, problem, generators)
        if self.start == "balanced-gaussian":
            return balanced_gaussian(widths, factor * low, generators)
        if self.start == "gaussian" and low == high:
            return gaussian(widths, low * factor, generators)
        scales = draw_strength(low, high, generators) if low < high else torch.full((runs,), low, dtype=torch.float64)
        if self.start == "identity":
            return identity_layers(widths, factor * scales)
        if self.start == "plain":
            return scaled_layers(
                [normal((after, before), generators) for before, after in pairwise(widths)], factor * scales
            )
        laws = {"gaussian": lambda *given: gaussian(given[0], 1.0, given[1]), "uniform": uniform_layers}
        law = laws.get(self.start, semi_orthogonal)
        return scaled_layers(law(widths, generators), factor * scales)

    def _by_spectrum(
        self, widths: Sequence[int], factor: float, problem: Problem, generators: Sequence[Generator]
    ) -> Weights:
        """Balanced layers of a product with given or drawn singular values."""
        given = self.start_strengths
        modes = min(widths) if given is None else len(given)
        if self.start == "aligned":
            assert problem.target is not None
            modes = min(modes, problem.target.strengths.shape[-1])
        if given is None:
            strengths = draw_mode_strengths(*self.scale, modes, generators)
        else:
            strengths = torch.tensor(given[:modes], dtype=torch.float64).expand(len(generators), -1)
        if self.start == "aligned":
            assert problem.target is not None
            left, right = problem.target.left[..., :modes], problem.target.right[..., :modes]
        else:
            left, right = orthonormal(widths[-1], modes, generators), orthonormal(widths[0], modes, generators)
        if self.start == "lambda-balanced":
            return balanced_with_offset(left, factor * strengths, right, self.offset, generators)
        return balanced_layers(left, factor * strengths, right, widths[1:-1], generators)

    def _one_neuron(self, widths: Sequence[int], problem: Problem, generators: Sequence[Generator]) -> Weights:
        """Balanced layers of a product s u v^T, with drawn directions and strength."""
        assert problem.target is not None
        if self.overlap is not None:
            pair = tilted(draw_pair(problem.target, self.missing, self.overlap, generators), self.tilt)
        else:
            axes = (widths[-1], widths[0]) if self.directions == "outside-range" else (1, 1)
            pair = axis_pair(problem.target, *axes, -1.0 if self.directions == "anti-aligned" else 1.0)
        strength = draw_strength(*self.scale, generators)
        return one_neuron_layers(problem.target, pair, strength, widths, generators)

    def displacement(self, generators: Sequence[Generator]) -> list[Tensor]:
        """Gaussian parameters of scale 1, the direction of a kick."""
        widths = self.path_widths
        if self.architecture.stacked:
            layers = gaussian_paths([1.0] * len(widths), widths[0], generators)
            return layers[:1] if self.layers == "shared" else layers
        paths = [gaussian(path, 1.0, generators) for path in widths]
        kept = [layer for path in paths for layer in (path[:1] if self.layers == "shared" else path)]
        return diagonal_parts(kept) if self.layers == "diagonal" else kept
