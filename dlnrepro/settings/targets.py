"""A target Z = sum_k sigma_k u_k v_k^T with drawn singular values, in drawn bases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field
from torch import Generator

from dlnrepro.dynamics.starts.targets import Target, draw_strengths, rotated
from dlnrepro.settings.base import Contradiction, Settings
from dlnrepro.settings.fields import Jitter, Strengths, Width


class TargetSettings(Settings):
    """A target Z, of shape (outputs, inputs), whose singular vectors are drawn uniformly (Haar measure)."""

    inputs: Width = Field(description="n_0, the dimension of the inputs")
    outputs: Width = Field(description="n_L, the dimension of the outputs")
    strengths: Strengths = Field(description="sigma_k, the singular values of the target matrix Z, which fall strictly")
    jitter: Jitter

    def contradictions(self) -> Iterable[Contradiction]:
        """More strengths than the target can have."""
        yield from super().contradictions()
        yield from at_most_as_many(self, "strengths", ("inputs", "outputs"))

    def target(self, generators: Sequence[Generator]) -> Target:
        """The target of each run, drawn from its generator: first the strengths, then the bases."""
        strengths = draw_strengths(self.strengths, self.jitter, generators)
        return rotated(self.outputs, self.inputs, strengths, generators)


def at_most_as_many(settings: Settings, key: str, widths: Sequence[str]) -> Iterable[Contradiction]:
    """A contradiction if a number, or the length of a list, exceeds the smallest of some widths."""
    value = getattr(settings, key)
    limit, width = min((getattr(settings, width), width) for width in widths)
    if isinstance(value, int):
        if value > limit:
            yield Contradiction(key, f"at most {limit}, as many as {width}")
    elif len(value) > limit:
        yield Contradiction(
            key, f"at most {limit} value{'s' * (limit > 1)}, as many as {width}", f"{len(value)} values"
        )
