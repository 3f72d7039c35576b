"""The representation cost R(w) of a linear map w: the least squared norm of weights that realise it.

Paper: Dai, Karzand, Srebro, "Representation Costs of Linear Neural Networks: Analysis and Design", NeurIPS 2021.

Symbols: theta are the weights, f_theta the map that they realise, homogeneous of degree L in theta; the cost of an
architecture is c ||x||_p^q of coordinates x of w.

* `tied_layers` holds the architectures: fully connected, diagonal, convolutional, grouped, k-support.
* `formulas` holds the closed form of the cost for each of them.
* `spiky_predictors` draws maps w whose coordinates differ widely in size.
* `fibre` finds the weights of least norm with f_theta = w numerically, without any formula for the cost.
* `regression` holds least squares with weight decay in the weights of such a network.
* `norm_fit` fits p and q to costs of several maps.
* `convex_penalty` solves least squares with half the cost as penalty, with a certificate and without a network.
"""
