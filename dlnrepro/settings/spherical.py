"""Inputs with a spherically symmetric law, stretched if asked for, as a population or as one fixed sample.

Setting: Lin, Sun and Zhang, NeurIPS 2021, which writes N for the depth L.
"""

from __future__ import annotations

from pydantic import Field

from dlnrepro.dynamics.spherical.symmetric_inputs import InputLaw
from dlnrepro.settings.base import Settings


class SymmetricInputSettings(Settings):
    """The law of the inputs, and whether the gradient is that of the population or of a sample."""

    law: InputLaw = Field(
        description="law of the inputs: uniform on the unit `sphere`, or standard normal (`gaussian`)"
    )
    inputs: int = Field(ge=2, le=32, description="n_0, the dimension of the inputs; for 2 the sphere is a circle")
    stretch: float = Field(
        ge=1, le=1000, description="largest over smallest eigenvalue of the inputs' second moment; 1 keeps the symmetry"
    )
    samples: int = Field(ge=0, le=10**5, description="size of one fixed sample of the inputs; 0 takes the population")
