"""Numbers that are computed from a series: slopes, zeros, and positions along a sweep.

* `slopes` fits slopes, rates and powers by least squares over a window of a series.
* `lines` draws the exponential or the power that a theory predicts through a point of a series.
* `bisection` finds the zero of a function of one number, run by run.
* `sweeps` makes the positions of a sweep, and reduces the values along it to one number per run, such as the first
  position above a threshold.
"""
