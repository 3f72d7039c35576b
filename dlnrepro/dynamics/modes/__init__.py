"""Modes of a target that a linear network learns one after another.

Papers: Saxe, McClelland, Ganguli 2014 (arXiv:1312.6120); Gidel, Bach, Lacoste-Julien 2019 (arXiv:1904.13262).

Symbols: a mode has the strength s or sigma (a singular value) in the target and the value a in the product; lambda is
the variance of its input, epsilon the scale of the initialization (start), eta the step size, L the depth.

* `learning_curves` holds the closed form of a(t) under gradient flow from an aligned, balanced initialization.
* `learning_times` measures the shares of the modes along a descent, and when each of them is learned.
* `descents` follows the product along gradient descent from several initializations, or at several step sizes.
* `plateaus` measures how close such descents come to the sum of the first modes.
* `perturbations` perturbs the second moments of the inputs, or of inputs and outputs.
* `settling` measures the factor by which a step multiplies the error near the end.
* `sequential` holds closed forms for gradient descent with two layers: learning times, plateaus, rate near the end.
"""
