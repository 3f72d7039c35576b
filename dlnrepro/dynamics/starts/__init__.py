"""Initializations (starts) and targets, each drawn from the generator of its own run.

A target is Z = sum_k sigma_k u_k v_k^T with strengths sigma_k, in a drawn or a given basis. An initialization is
balanced if W_(l+1)^T W_(l+1) = W_l W_l^T for all neighbouring layers.

* `draws` draws Gaussian, uniform, orthogonal and orthonormal matrices and directions.
* `targets` holds a target by its modes and draws its strengths and its basis.
* `balanced` draws the strength of an initialization, and makes balanced and unbalanced layers.
"""
