"""Parallel paths: P deep linear networks whose matrices add up to one, M = sum_p W_(p,L) ... W_(p,1).

Paper: Kim, Lee 2026 (arXiv:2606.05219). Training with the loss 1/2 ||M - M*||_F^2 and a step size above the stability
limit spreads each mode of the target M* over the paths.

Symbols: s is the strength (singular value) of a mode, and x_p is the share of the mode that path p carries.
S1 = L s^(2-2/L) is the sharpness when one path carries the mode alone, and gamma = eta S1 is the step ratio, where eta
is the step size. The winner is the path with the largest share, and all other paths are losing paths.

* `parallel_paths` holds the model: its output, loss and gradient, the shares, and aligned solutions.
* `aligned_paths` descends with aligned, balanced paths, which are one scalar per path and mode.
* `aligned_drift` measures when and how fast a losing path gains; `drift_theory` predicts it, and `drift_fits` reads
  the onset and the restoration time off a sweep.
* `closed_forms` holds the formulas for the sharpness at zero loss, the stability limit on shares, and the final shares.
  `exponent_fits` fits the exponent of this limit to measured shares.
* `share_laws` combines the conservation law and the stability limit into the predicted shares along a sweep.
* `path_draws` draws paths of full matrices.
* `path_flow` follows the gradient flow of full matrices by implicit steps, from initializations of any scale.
* `plain_paths` computes gradients and sharpness by automatic differentiation alone, as a second route.
* `flattening` searches for the flattest weights, without a formula.
* `stages` descends in stages of constant step size, each of which begins with a small displacement.

The sharpness of given weights, at any loss, is computed by `dlnrepro.dynamics.networks.curvature`.
"""
