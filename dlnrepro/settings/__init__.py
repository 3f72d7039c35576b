"""What the parameters of several runners share.

A runner's `Params` inherits from `Settings` or from a group of settings, and takes the types of its fields from here. A
field type carries its range and its own rule, so that a fault is reported at its key. A group of settings carries the
draw that its fields describe, so that two runners with the same initialization cannot differ in it.

`base` the strict model that all parameters are, contradictions between settings, the estimate of memory
`fields` types of fields: depths, widths, ranges, strengths, and values of a formula that are usually `same`
`targets` a target Z with drawn singular values
`one_neuron` balanced initialization of a network with a one-neuron layer
`pathways` parallel paths: aligned paths that share a mode, and paths of full matrices with a target
`predictive_coding` networks for predictive coding with multipliers, and the constants of their inference
`representation_cost` architectures of linear networks, and predictors with coordinates of different sizes

Groups of one topic lie in a module of its name, because a runner's identity contains what it imports: an edit of one
topic must not make the numbers of all others stale.
"""
