"""Runners on parallel paths: gradient descent of M = sum_p W_(p,L) ... W_(p,1) towards M* at large step sizes.

Paper: Kim, Lee 2026 (arXiv:2606.05219). A mode of the target M* has a singular value s. The step size eta is given by
the step ratio gamma = eta S1, where S1 = L s^(2-2/L) is the sharpness when one path carries the mode alone.

* `path_race` follows the gradient flow of full random matrices of equal scale, as the initialization shrinks to zero.
* `random_pathways` trains full random matrices and measures sharpness and shares at the end.
* `aligned_pathways` trains aligned, balanced paths that share one mode, at every gamma of a sweep.
* `path_drift` measures how fast a path with a small share gains when gamma is above 2.
* `pathway_sharpness` does not train: it computes the whole Hessian of networks at zero loss.

The mathematics lies in `dlnrepro.dynamics.pathways`.
"""
