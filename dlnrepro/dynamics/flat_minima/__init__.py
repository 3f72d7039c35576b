"""The flattest global minima of a deep linear network with a given product Z.

Paper: Mulayoff, Michaeli 2020 (arXiv:2002.04710).

Symbols: the loss is 1/2 ||W_L ... W_1 - Z||_F^2, and s is the largest singular value of the target Z. Invertible
matrices G_1 .. G_(L-1) give other weights G_l W_l G_(l-1)^-1 with the same product (G_0 = G_L = I). The sharpness is
the largest eigenvalue of the Hessian of the loss.

* `reparametrisations` draws the G_l and minimises the sharpness over them.
* `minima` computes the sharpness of given minima by two routes.
* `sharpness_bound` holds the least sharpness L s^(2-2/L) and the gains of the layers at which it is reached.
"""
