"""Runners on the duration of training and of generalisation.

Paper: Tan, Gai, Zhang 2026 (arXiv:2606.05863). T(eps) is the time at which the loss first falls to eps.

* `classifier_clock` measures T(eps) for the cross-entropy of a classifier, in steps and in time of gradient flow.
* `polynomial_clock` measures how fast the loss falls at the end of training on a target of lower rank.
* `two_clocks` measures when a classifier with weight decay fits its samples, and when it generalises.

The mathematics lies in `dlnrepro.dynamics.training_clocks`.
"""
