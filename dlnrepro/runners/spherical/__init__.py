"""Runners on linear networks with spherically symmetric inputs.

Paper: Lin, Sun, Zhang, NeurIPS 2021. theta is the angle between the predictor and the teacher.

* `spherical_flow` follows gradient flow and measures how fast theta falls.
* `spherical_gradient` trains nothing: it integrates the gradient of the population risk at many predictors.

The mathematics lies in `dlnrepro.dynamics.spherical`.
"""
