"""Weights that solve a regression exactly: drawn under this constraint, and moved to where a function is least.

Conventions: W_l has shape (runs, paths, n_l, n_(l-1)), and the network is M = sum_p W_(p,L) ... W_(p,1).

* `drawn` draws weights whose network is a given matrix, and brings weights to the least norm among them.
* `measured` measures such weights: norms, spectra, gains, and the sharpness by two routes.
"""
