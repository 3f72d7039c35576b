"""Inference by predictive coding in linear networks, with or without Lagrange multipliers.

Papers: Seely, Gould 2026 (arXiv:2605.31022), with multipliers; Innocenti, Achour, Singh, Buckley 2024
(arXiv:2408.11979), without multipliers.

Symbols: h_i are the activities of layer i, r_i = h_i - W_i h_(i-1) its residuals, m_i its multipliers, and
c_i = m_i + rho r_i its credit; eta is the step size of the activities, rho the penalty, and alpha the dual step (the
step size of the multipliers).

* `network` holds the network, its state, one step of inference, the credit and the gradients of the weights.
* `by_autograd` computes steps, updates and adjoints by automatic differentiation, and `two_routes` measures how far
  the formulas are from it.
* `iteration` writes one step as a matrix, computes its spectral radius, and finds the edge of stability.
* `arrival` measures when credit arrives at the first layer.
* `credit_paths` records the distance of the credit of all layers from a target along inference.
* `closed_forms` holds equilibria, limits of stability, and the speed at which credit travels.
"""
