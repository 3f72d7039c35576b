"""Inference by predictive coding in linear networks, with Lagrange multipliers or without.

Papers: Seely, Gould 2026 (arXiv:2605.31022), with multipliers; Innocenti, Achour, Singh, Buckley 2024
(arXiv:2408.11979), without.

Symbols: h_i are activities, r_i = h_i - W_i h_{i-1} residuals, m_i multipliers, c_i = m_i + rho r_i the credit of
layer i; eta is the step, rho the penalty, alpha the dual step.

* `network` holds the network, its state, one step of inference, the credit and the gradients of the weights.
* `iteration` writes one step as a matrix, computes its spectral radius, and finds the edge of stability.
* `arrival` measures when credit arrives at the first layer.
* `credit_paths` records how far the credit of all layers is from a target along inference.
* `closed_forms` holds equilibria, limits of stability, and the speed at which credit travels.
"""
