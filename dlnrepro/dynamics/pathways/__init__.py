"""Parallel paths: P deep linear networks whose products add up to one matrix, M = sum_p W_{p,L} ... W_{p,1}.

Paper: Kim, Lee 2026 (arXiv:2606.05219). Training with the loss 1/2 ||M - M*||_F^2 and a step size beyond the edge of
stability spreads each mode of the target M* over the paths.

Symbols: s is the strength of a mode, x_p the share of it that path p carries, S1 = L s^(2-2/L) the sharpness when one
path carries it alone, gamma = eta S1 the step ratio, with eta the step size.

* `parallel_paths` holds the model: its output, loss and gradient, the shares, and aligned solutions.
* `aligned_paths` descends with aligned, balanced paths, which are one scalar per path and mode.
* `aligned_drift` measures when and how fast a path with a small share regains it; `drift_theory` predicts it,
  and `drift_fits` reads onset and restoration time off a sweep.
* `closed_forms` holds the formulas for the sharpness at zero loss, the stability limit on shares, and the final shares.
* `share_laws` combines the race and the stability limit into what theory says of the shares along a sweep.
* `path_draws` draws paths of full matrices.
* `stages` descends in stages of constant step size, each of which begins with a small displacement.

The sharpness of given weights, at any loss, is computed by `dlnrepro.dynamics.networks.curvature`.
"""
