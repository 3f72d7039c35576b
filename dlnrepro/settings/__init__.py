"""What the parameters of several runners share.

A runner's `Params` inherits from `Settings` or from a group of settings, and takes the types of its fields from here. A
field type carries its range and its own rule, so that a fault is reported at its key. A group of settings carries the
draw that its fields describe, so that two runners with the same initialization cannot differ in it.

* `base` is the strict model that all parameters are: contradictions between settings, the estimate of memory.
* `fields` holds the types of fields: depths, widths, ranges, strengths, and values of formulas, usually `same`.
* `input_files` has the types of settings that name files, which are found from the folder of the claim.
* `networks` has the depth in the formulas, and draws the Gaussian weights of networks that are not balanced.
* `targets` draws a target Z from given singular values.
* `descents` repeats gradient descent at step sizes that are halved again and again.
* `classification` draws two classes of points that a hyperplane separates, and deep linear classifiers of them.
* `training_clocks` describes a network that learns to separate several classes.
* `one_neuron` draws the balanced initialization of a network with a one-neuron layer.
* `pathways` describes parallel paths: aligned paths that share a mode, and paths of full matrices with a target.
* `predictive_coding` describes a linear network whose activities take the steps of predictive coding.
* `representation_cost` describes the architecture of a network with tied weights.
* `modes` describes a regression whose modes are learned one after another.
* `formula` reads formulas and inequalities of numbers, and computes them. `declared` has the measures that a claim
  defines by formulas.
* `numerals` writes numbers and settings as text, in one way everywhere.
* `spherical` describes inputs whose law is spherically symmetric.
* `linear_network` describes any deep linear network, its data, its training and its records.

Groups of one topic lie in a module of its name, because a runner's identity contains what it imports: an edit of one
topic must not make the numbers of all others stale.
"""
