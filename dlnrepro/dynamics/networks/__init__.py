"""Quantities that the weights W_1 .. W_L of a deep linear network determine, without any training.

W_l has shape (runs, ..., n_l, n_(l-1)), and the product of the network is W = W_L ... W_1.

* `chain` computes the product, the gradients that a gradient on the product gives the layers, and the imbalances
  W_(l+1)^T W_(l+1) - W_l W_l^T of neighbouring layers.
* `curvature` computes the sharpness, the largest eigenvalue of the Hessian of the squared loss, of networks with one
  path or several parallel paths, by two independent routes.
* `gaps` computes singular vectors, the gap of a matrix to rank one, and the sine of the angle between two vectors.
* `plain` computes gradients, steps and flows by a second route, a plain forward pass and autograd.
* `squared_gradient` is the gradient of the squared loss, as a function whose parts a compiled kernel can read.
* `tangent_kernel` computes the tangent kernel and the gradient flow of the linearised network.
"""
