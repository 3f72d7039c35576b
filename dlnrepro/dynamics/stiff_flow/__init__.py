"""Gradient flow of deep linear classifiers on a clock on which log(1/R), with R the risk, reaches 1e12.

In the time t of gradient flow log(1/R) grows only as log t, so no step size gets far. The flow here runs along the same
curve of weights at another speed, at which log log(1/R) grows like the clock s. This flow becomes stiff, and is then
followed by implicit solvers.

* `margin_flow` holds the field of the flow on this clock, and its Jacobian as a matrix.
* `path` follows the flow of each run to its horizon, by solvers that are compared with one another.
* `low_rank_jacobian` writes the same Jacobian as a product of two narrow matrices, for wide networks.
* `low_rank_solvers` makes scipy's implicit solvers use that product.
* `compiled_path` follows a run by a kernel in C, where the machine has a C compiler.
"""
