"""Inputs with a spherically symmetric law, or stretched ones, as a whole population or as one fixed sample.

Setting: Lin, Sun and Zhang, NeurIPS 2021. The paper writes N for the depth L.
"""

from __future__ import annotations

from pydantic import Field

from dlnrepro.dynamics.spherical.symmetric_inputs import InputLaw
from dlnrepro.settings.base import Settings
from dlnrepro.settings.fields import PositiveRange


class SymmetricInputSettings(Settings):
    """The law of the inputs, and whether the gradient is that of the population or of a sample."""

    input_law: InputLaw = Field(
        description="law of the inputs: uniform on the unit `sphere`, or standard normal (`gaussian`)"
    )
    factors: PositiveRange = Field(
        description="range of two factors, drawn log-uniformly by each run together with their probabilities: each"
        " input is multiplied by one of them, which keeps the symmetry; [1, 1] leaves the inputs as they are"
    )
    inputs: int = Field(
        ge=2, le=32, description="n_0, the dimension of the inputs; in two dimensions the sphere is a circle"
    )
    stretch: float = Field(
        ge=1,
        le=1000,
        description="condition number of the second moment of the inputs (largest over smallest eigenvalue); 1 keeps"
        " the spherical symmetry",
    )
    samples: int = Field(
        ge=0, le=10**5, description="size of a fixed sample of the inputs; 0 stands for the population"
    )
