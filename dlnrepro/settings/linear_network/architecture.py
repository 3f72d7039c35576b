"""Widths, paths and layers of a deep linear network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from dlnrepro.dynamics.general.architecture import Architecture, Filling
from dlnrepro.settings.base import Contradiction, Settings
from dlnrepro.settings.fields import FROM_LIST
from dlnrepro.settings.linear_network.kinds import OneWidth

OneDepth = Annotated[int, Field(ge=1, le=32)]


class ArchitectureSettings(Settings):
    """The layers: all widths, or the depth and the width of the hidden layers."""

    widths: Annotated[tuple[OneWidth, ...], FROM_LIST] | None = Field(
        default=None,
        min_length=2,
        max_length=33,
        description="n_0 .. n_L, the widths from the inputs to the outputs, in place of `depth` and `width`",
    )
    depth: OneDepth | None = Field(default=None, description="L, the number of layers, in place of `widths`")
    width: OneWidth | None = Field(
        default=None, description="the width of all layers that have no width of their own; it goes with `depth`"
    )
    inputs: OneWidth | None = Field(default=None, description="n_0, the dimension of the inputs (default: `width`)")
    outputs: OneWidth | None = Field(default=None, description="n_L, the dimension of the outputs (default: `width`)")
    bottleneck: OneWidth | None = Field(
        default=None, description="n_1, the width of the first hidden layer (default: `width`)"
    )
    paths: int = Field(default=1, ge=1, le=32, description="the number of parallel paths that add up (default: 1)")
    path_depths: Annotated[tuple[OneDepth, ...], FROM_LIST] | None = Field(
        default=None,
        min_length=1,
        max_length=32,
        description="the depth of each path, in place of `depth` and `paths` (default: all alike)",
    )
    layers: Filling = Field(
        default="dense",
        description="`dense` layers, `diagonal` ones, or one matrix `shared` by all layers of a path (default: dense)",
    )
    skip: bool = Field(default=False, description="whether every layer is I + V, with V trained (default: false)")

    def contradictions(self) -> Iterable[Contradiction]:
        """Widths that are given twice or not at all, and layers that must be square."""
        yield from super().contradictions()
        if self.widths is not None:
            for key in ("depth", "width", "inputs", "outputs", "bottleneck", "path_depths"):
                if getattr(self, key) is not None:
                    yield Contradiction(key, "no such key next to `widths`")
        elif self.width is None:
            yield Contradiction("width", "the width of the layers, or all `widths`")
        elif self.depth is None and self.path_depths is None:
            yield Contradiction("depth", "the number of layers, or all `widths`")
        elif self.path_depths is not None:
            yield from self._paths_agree()
        if self._known and (self.layers != "dense" or self.skip) and any(len({*path}) > 1 for path in self.path_widths):
            kind = f"`layers: {self.layers}`" if self.layers != "dense" else "`skip: true`"
            yield Contradiction("width" if self.widths is None else "widths", f"equal widths for {kind}")

    def _paths_agree(self) -> Iterable[Contradiction]:
        for key in ("depth", "bottleneck"):
            if getattr(self, key) is not None:
                yield Contradiction(key, "no such key next to `path_depths`")
        if self.paths not in (1, len(self.path_depths or ())):
            yield Contradiction("paths", f"{len(self.path_depths or ())}, the number of path_depths")

    @property
    def _known(self) -> bool:
        """Whether the widths follow from the settings."""
        given = self.width is not None and (self.depth is not None or self.path_depths is not None)
        return self.widths is not None or given

    @property
    def path_widths(self) -> tuple[tuple[int, ...], ...]:
        """n_0 .. n_L of each path."""
        if self.widths is not None:
            return (self.widths,) * self.paths
        depths = self.path_depths or (self.depth or 1,) * self.paths
        return tuple(self._widths_of(depth) for depth in depths)

    def _widths_of(self, depth: int) -> tuple[int, ...]:
        width = self.width or 1
        hidden = [width] * (depth - 1)
        if self.bottleneck is not None:
            hidden[:1] = [self.bottleneck] * min(1, len(hidden))
        return (self.inputs or width, *hidden, self.outputs or width)

    @property
    def ends(self) -> tuple[int, int]:
        """n_L and n_0, the shape of the matrix of the network."""
        return self.path_widths[0][-1], self.path_widths[0][0]

    @property
    def narrowest(self) -> int:
        """The largest rank that a path can have."""
        return min(min(path) for path in self.path_widths)

    @property
    def architecture(self) -> Architecture:
        """The layers of all paths."""
        return Architecture(self.path_widths, self.layers, self.skip)

    @property
    def weight_count(self) -> int:
        """The number of entries of all parameters of one run."""
        count = 0
        for shape in self.architecture.shapes:
            size = 1
            for part in shape:
                size *= part
            count += size
        return count
