"""Runners on modes of a target Z = sum_i sigma_i u_i v_i^T, which are learned one after another.

Papers: Saxe, McClelland, Ganguli 2014 (arXiv:1312.6120); Gidel, Bach, Lacoste-Julien 2019 (arXiv:1904.13262).

* `mode_flow` compares gradient flow from an aligned initialization with the closed form of each mode.
* `sequential_regression` measures when each mode is learned, for smaller and smaller initializations.
* `perturbed_regression` measures what changes if the two second moments do not commute.
* `regression_step_sizes` measures how gradient descent converges, and up to which step size.

The mathematics lies in `dlnrepro.dynamics.modes`.
"""
