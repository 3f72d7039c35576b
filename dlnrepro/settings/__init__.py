"""What the parameters of several runners share.

A runner's `Params` inherits from `Settings` or from a group of settings, and takes the types of its fields from here. A
field type carries its range and its own rule, so that a fault is reported at its key. A group of settings carries the
draw that its fields describe, so that two runners with the same initialization cannot differ in it.

* `base` is the strict model that all parameters are: contradictions between settings, the estimate of memory.
* `numerals` writes numbers and values, the same in all messages, tables and pages.
* `fields` holds the types of fields: depths, widths, ranges, strengths, values of a formula.
* `targets` draws a target Z from given singular values.
* `one_neuron` draws the balanced initialization of a network with a one-neuron layer.
* `spherical` describes inputs whose law is spherically symmetric.

Groups of one topic lie in a module of its name, because a runner's identity contains what it imports: an edit of one
topic must not make the numbers of all others stale.
"""
