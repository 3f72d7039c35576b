"""Runners on inference by predictive coding in linear networks.

Paper: Seely, Gould 2026 (arXiv:2605.31022).

* `predictive_coding_equilibrium` measures where inference converges, how fast, and whether this is back-propagation.
* `predictive_coding_speed` measures how long credit takes to reach the first layer as the depth grows.
* `predictive_coding_stability` measures the largest stable step size from the spectrum of one step.

The mathematics lies in `dlnrepro.dynamics.predictive_coding`.
"""
