"""Gradient flow of deep linear classifiers on a clock on which log(1/R), R the risk, reaches 1e12.

In the time of gradient flow log(1/R) grows like log t, which no step size can follow. The flow here runs along the same
curve of weights at a speed at which log log(1/R) grows like the clock s. It becomes stiff, and implicit solvers take
over.

* `margin_flow` holds the field of the flow on this clock, and its Jacobian as a matrix.
* `path` follows the flow of each run to its horizon, by solvers that check one another.
* `low_rank_jacobian` writes the same Jacobian as a product of two narrow matrices, for wide networks.
* `low_rank_solvers` makes scipy's implicit solvers use that product.
"""
