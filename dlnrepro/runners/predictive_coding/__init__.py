"""Runners on inference by predictive coding in linear networks.

Paper: Seely, Gould 2026 (arXiv:2605.31022).

* `predictive_coding_equilibrium` measures where inference settles, how fast, and whether back-propagation is the limit.
* `predictive_coding_speed` measures how long credit takes to reach the first layer as the depth grows.
* `predictive_coding_stability` measures the largest stable step from the spectrum of the iteration.

The mathematics lies in `dlnrepro.dynamics.predictive_coding`.
"""
