"""How long a deep linear network needs to fit its samples, and how long until it generalises.

Paper: Tan, Gai, Zhang 2026 (arXiv:2606.05863).

Symbols: R is the cross-entropy of K classes, m the soft margin of a sample, z its logits, y its label; F is the
objective with weight decay lambda, F* its least value, and T(eps) the time at which R first is eps.

* `by_torch` takes a few steps with losses, autograd and optimisers of torch, to which the descents are compared.
* `class_means` draws inputs of several classes whose means lie on a circle, with noise in all other coordinates.
* `cross_entropy` computes log R and its gradient as those of a logistic loss of soft margins.
* `missing_modes` computes the least loss with weight decay, and how the modes that a target lacks fall at the end.
* `orthogonal_start` draws a target that lacks modes, and layers that start as scaled orthogonal matrices.
* `weight_decay` computes the objectives with weight decay, of a classifier at several decays and of a fit to a matrix.
* `tail_powers` measures the power with which the gradient vanishes at the end of training.
* `descent_clocks` trains a classifier, and reads T(eps) at each level, in steps or in time of the flow.
"""
