"""Measures that a claim declares by formulas, computed from what was recorded along a training run.

A runner records quantities: the loss, the product of the layers, its singular values. A measure is a formula of such
quantities, reduced to one number per run: the last value, the mean over a window, the first time below a level, the
slope of a logarithm. Runs are computed one by one, so that the numbers of a run are bitwise identical alone and in any
batch; all of it is computed by numpy on the processor.

* `records` holds the recorded quantities of all runs, and the values of one run.
* `measure` describes a measure: its formula, how it is reduced, in which window, and what it is compared with.
* `expression` computes a formula, or an inequality, at all points of a run.
* `reduction` reduces the points of a window to one number.
* `evaluation` says which quantities some measures need, and computes the measures of all runs.
"""
