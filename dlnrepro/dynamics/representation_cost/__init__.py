"""The representation cost R(w) of a linear predictor w: the least squared norm of weights that realise it.

Paper: Dai, Karzand, Srebro, "Representation Costs of Linear Neural Networks: Analysis and Design", NeurIPS 2021.

Symbols: theta are the weights, and f_theta is the predictor that they realise, which is homogeneous of degree L in
theta. The cost of an architecture is c ||x||_p^q, where x are coordinates of w: singular values, entries, Fourier
coefficients or lengths of groups.

* `tied_layers` holds the architectures: fully connected, diagonal, convolutional, grouped, k-support.
* `formulas` holds the closed form of the cost for each of them.
* `spiky_predictors` draws predictors w whose coordinates differ widely in size.
* `fibre` finds the weights of least norm with f_theta = w numerically, without a formula for the cost.
* `plain_networks` writes each architecture out plainly, for a general optimiser and for autograd.
* `regression` holds least squares with weight decay in the weights of such a network.
* `norm_fit` fits p, q and c to the costs of several predictors.
* `convex_penalty` solves least squares with half the cost as penalty, with a certificate and without a network.
"""
