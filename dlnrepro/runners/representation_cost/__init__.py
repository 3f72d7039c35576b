"""Runners on the representation cost: the least squared norm of weights that realise a linear predictor.

Paper: Dai, Karzand, Srebro, NeurIPS 2021.

* `representation_cost` finds the cost of drawn predictors numerically and compares it with the closed form.
* `weight_decay_regression` trains with weight decay and compares the result with the solution of a convex problem.

The mathematics lies in `dlnrepro.dynamics.representation_cost`.
"""
